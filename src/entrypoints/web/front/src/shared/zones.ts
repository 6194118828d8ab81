/** Days as a time zone has them: with 23 and 25 hours where its clocks change, as the gateway counts them. */

const DAY = 86_400_000;
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  const made = new Intl.DateTimeFormat("en-CA", { timeZone: zone, hourCycle: "h23", ...parts });
  clocks.set(zone, made);
  return made;
}

function localParts(at: number, zone: string): Readonly<Record<string, string>> {
  return Object.fromEntries(clockOf(zone).formatToParts(at).map((part) => [part.type, part.value]));
}

/** Milliseconds that a zone's clock is ahead of UTC at a moment. */
function ahead(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = localParts(at, zone);
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)) - Math.floor(at / 1000) * 1000;
}

/** The local date of a moment, as 2026-11-30. */
export function dayOf(at: number, zone: string): string {
  const { year, month, day } = localParts(at, zone);
  return `${year}-${month}-${day}`;
}

export const addDays = (day: string, days: number): string => new Date(Date.parse(`${day}T00:00Z`) + days * DAY).toISOString().slice(0, 10);

/** How many days from one to another, both included. */
export const daysBetween = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;

/** The moment at which a local day begins: the first of two midnights, and the jump itself where midnight is skipped. */
export function dayStart(day: string, zone: string): string {
  const midnight = Date.parse(`${day}T00:00Z`);
  const before = ahead(midnight - DAY, zone);
  const start = midnight - before;
  const then = ahead(start, zone);
  const skipped = then > before && ahead(start - 1000, zone) === before;
  return new Date(then === before || skipped ? start : midnight - ahead(midnight + DAY, zone)).toISOString();
}

export const isZone = (name: string): boolean => {
  try {
    clockOf(name);
    return true;
  } catch {
    return false;
  }
};

export const isDay = (text: string | null): text is string => text !== null && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00Z`));

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
