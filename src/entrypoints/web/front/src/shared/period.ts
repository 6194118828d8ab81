import { addDays, dayOf, daysBetween, dayStart, isDay, isZone } from "./zones";

/** Days from one to another, both included, as a zone has them. */
export interface Period {
  readonly zone: string;
  readonly from: string;
  readonly to: string;
  /** The last so many days, where no dates are given. */
  readonly days: number | null;
}

const DEFAULT_DAYS = 30;

/** The period that an address says: `timezone`, and `from` and `to` or the last `days`. */
export function periodOf(params: URLSearchParams, now = Date.now()): Period {
  const asked = params.get("timezone");
  const zone = asked && isZone(asked) ? asked : "UTC";
  const [from, to] = [params.get("from"), params.get("to")];
  const today = dayOf(now, zone);
  if (isDay(from)) return { zone, from, to: isDay(to) && to >= from ? to : from > today ? from : today, days: null };
  const given = Number(params.get("days"));
  const days = Number.isInteger(given) && given > 0 && given <= 3660 ? given : DEFAULT_DAYS;
  return { zone, from: addDays(today, 1 - days), to: today, days };
}

/** As long, right before it. */
export function periodBefore(period: Period): Period {
  const length = daysBetween(period.from, period.to);
  return { zone: period.zone, from: addDays(period.from, -length), to: addDays(period.from, -1), days: null };
}

/** For addresses, of pages and of the API: dates with their zone. */
export const periodParams = ({ from, to, zone }: Period): Readonly<Record<string, string>> => ({ from, to, timezone: zone });

/** The same time as moments, for lists that know no zones. */
export const momentParams = ({ from, to, zone }: Period): Readonly<Record<string, string>> => ({ from: dayStart(from, zone), to: dayStart(addDays(to, 1), zone) });

export const dayList = ({ from, to }: Period): readonly string[] => Array.from({ length: daysBetween(from, to) }, (_, i) => addDays(from, i));

const HOUR = 3_600_000;

/** The moments at which its hours begin. */
export function hourList({ from, to, zone }: Period): readonly string[] {
  const [start, end] = [Date.parse(dayStart(from, zone)), Date.parse(dayStart(addDays(to, 1), zone))];
  return Array.from({ length: Math.ceil((end - start) / HOUR) }, (_, i) => new Date(start + i * HOUR).toISOString());
}
