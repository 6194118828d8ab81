const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumSignificantDigits: 2, maximumSignificantDigits: 3, maximumFractionDigits: 12 });
const count = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** Money comes as a decimal string in USD and is only shown, never added up here. */
export function usd(text: string): string {
  const value = Number(text);
  if (value === 0) return "$0";
  return Math.abs(value) < 1 && Number(value.toFixed(2)) !== value ? small.format(value) : money.format(value);
}

/** Every digit of it, for prices and for sums that are to be followed: at least two after the point. */
export function exactUsd(text: string): string {
  const [, sign = "", whole_ = "0", part = ""] = /^(-?)(\d+)(?:\.(\d*?)0*)?$/.exec(text) ?? [];
  return `${sign}$${whole_.replace(/\B(?=(\d{3})+$)/g, ",")}.${part.padEnd(2, "0")}`;
}

export const whole = (value: number): string => count.format(value);
export const brief = (value: number): string => short.format(value);
export const seconds = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** A moment of a zone as "Nov 30, 14:05:09". */
export const stamp = (iso: string, timeZone: string): string =>
  new Date(iso).toLocaleString("en", { timeZone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** The hour of a zone that begins at a moment, as "Nov 30, 14:00". */
export const hourName = (iso: string, timeZone: string): string =>
  new Date(iso).toLocaleString("en", { timeZone, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export const moment = (iso: string): string =>
  new Date(iso).toLocaleString("en", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** "now", "5 min ago", "3 h ago", "2 days ago", then the date. */
export function ago(iso: string, now = Date.now()): string {
  const minutes = Math.floor((now - Date.parse(iso)) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 60 * 24) return `${Math.floor(minutes / 60)} h ago`;
  const days = Math.floor(minutes / (60 * 24));
  return days < 7 ? `${days} ${days === 1 ? "day" : "days"} ago` : new Date(iso).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

const UNITS = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]] as const;

/** A stretch of seconds in its two largest units: "3 days 4 hours". */
export function stretch(total: number): string {
  const parts: string[] = [];
  let left = Math.max(0, Math.round(total));
  for (const [size, name] of UNITS) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 && parts.length < 2) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    else if (parts.length > 0) break;
  }
  return parts.join(" ") || "0 seconds";
}

export const bytes = (count: number): string => (count < 1024 ? `${count} B` : count < 1_048_576 ? `${Math.round(count / 1024)} KiB` : `${(count / 1_048_576).toFixed(1)} MiB`);

/** "in 4 min", "in 2 h": when something will be. */
export function ahead(iso: string, now = Date.now()): string {
  const total = (Date.parse(iso) - now) / 1000;
  return total < 1 ? "now" : total < 60 ? `in ${Math.round(total)} s` : total < 3600 ? `in ${Math.round(total / 60)} min` : total < 86_400 ? `in ${Math.round(total / 3600)} h` : `in ${stretch(Math.round(total / 3600) * 3600)}`;
}
