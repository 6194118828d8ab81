import { ahead, usd, whole } from "./format";

/** One limit or budget as it stands: amounts of limits are counts, of budgets decimal strings in USD. */
export interface Standing {
  readonly subject: { readonly kind: string; readonly id: string; readonly name: string };
  readonly limit: number | string;
  readonly used: number | string;
  readonly held: number | string;
  readonly remaining: number | string;
  readonly unit: string;
  readonly period: string | null;
  readonly period_start: string | null;
  readonly period_end: string | null;
  readonly timezone: string | null;
  readonly on_exceeded: string | null;
  readonly models: readonly string[] | null;
  readonly source: string;
  readonly refuses: boolean;
}

export interface Standings {
  readonly limits: readonly Standing[];
  readonly budgets: readonly Standing[];
}

const UNITS: Readonly<Record<string, string>> = {
  rpm: "requests in any minute", rpd: "requests a day", tpm: "tokens in any minute", tpd: "tokens a day",
  itpm: "tokens in, in any minute", otpm: "tokens out, in any minute", parallel: "requests at once",
}; // prettier-ignore

const PERIODS: Readonly<Record<string, string>> = {
  day: "a day", week: "a week", month: "a month", rolling_5h: "in any 5 hours", rolling_7d: "in any 7 days", rolling_30d: "in any 30 days", never: "in all",
}; // prettier-ignore

const SPANS: Readonly<Record<string, string>> = { rolling_5h: "5 hours", rolling_7d: "7 days", rolling_30d: "30 days" };

/** Below this share it is said that there is little left. */
const LITTLE = 0.2;

/** The share that is left, 0 to 1. */
export const shareLeft = ({ limit, remaining }: Pick<Standing, "limit" | "remaining">): number => (Number(limit) > 0 ? Math.max(0, Math.min(1, Number(remaining) / Number(limit))) : 0);

/** `$21.90 of $25.00 a month`, `48 of 60 requests in any minute`: what is left of how much. */
export function leftWords(one: Standing): readonly [string, string] {
  if (one.unit === "usd") return [usd(String(one.remaining)), `of ${usd(String(one.limit))} ${PERIODS[one.period ?? ""] ?? ""} left`];
  return [whole(Number(one.remaining)), `of ${whole(Number(one.limit))} ${UNITS[one.unit] ?? one.unit} left`];
}

/** Whose it is, to the person who looks: `tenants` are the names of theirs by id, `me` is their own id. */
export function whoseWords({ kind, id, name }: Standing["subject"], me: string, tenants: ReadonlyMap<string, string>): string {
  const [place = "", who] = id.split("/");
  switch (kind) {
    case "key": return `the key ${name}`;
    case "user": return id === me ? "you, everywhere" : `${name}, everywhere`;
    case "member": return `${who === me ? "you" : name} in ${tenants.get(place) ?? place}`;
    case "tenant": return tenants.get(id) === "yourself" ? "your own account" : `all of ${tenants.get(id) ?? name}`;
    case "tag": return `requests with the tag ${name}`;
    case "model": return `the models ${name}`;
    default: return `${kind.replaceAll("_", " ")} ${name}`;
  }
}

/** When it begins anew, as somebody plans by it. */
export function resetWords(one: Standing, now = Date.now()): string {
  if (one.period_end) {
    const zone = one.timezone ?? "UTC";
    const when = new Date(one.period_end).toLocaleString("en", { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return `begins anew ${ahead(one.period_end, now)}, ${when} ${zone}`;
  }
  const span = SPANS[one.period ?? ""];
  if (span) return `what is older than ${span} counts no more`;
  return one.period === "never" ? "never begins anew" : one.unit === "parallel" ? "free again as requests end" : "free again within a minute";
}

/** What it does where it is used up; nothing where that is the usual refusal. */
export const afterWords = (one: Standing): string => ({ warn: "only warns", shadow: "is only watched", downgrade: "then a cheaper model serves" })[one.on_exceeded ?? ""] ?? "";

/** How it stands, in a word for a tag: used up, little left, or nothing to say. */
export function stateOf(one: Standing): "used up" | "little left" | null {
  if (one.refuses || (one.unit === "usd" && Number(one.remaining) === 0)) return "used up";
  return shareLeft(one) < LITTLE ? "little left" : null;
}
