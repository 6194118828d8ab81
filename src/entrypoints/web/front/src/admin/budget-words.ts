import { LIST, type Field } from "../shared/changes";
import { ahead, moment } from "../shared/format";
import type { Owned } from "../shared/owner";
import { addDays, dayOf } from "../shared/zones";
import { MODELS, subjectFilters, type Subject } from "./subjects";

/** A budget and how it stands, as `GET /admin/budgets` lists it. Without an id it is a field of its subject. */
export interface Budget extends Owned {
  readonly id: string | null;
  readonly subject: Subject;
  readonly subject_name: string | null;
  readonly limit_usd: string;
  readonly period: string;
  readonly timezone: string;
  readonly warn_at: readonly number[];
  readonly on_exceeded: string;
  readonly downgrade_to: string | null;
  readonly hold: string;
  readonly unpriced: string;
  readonly models: readonly string[] | null;
  readonly spent_usd: string;
  readonly held_usd: string;
  readonly remaining_usd: string;
  readonly period_start: string | null;
  readonly period_end: string | null;
}

/** One of the list, by which its line and its address are known: those that are fields have a number for each subject. */
export interface Listed extends Budget {
  readonly key: string;
}

/** Each with what the address may call it: its id, or whose it is and which of them. */
export function listed(budgets: readonly Budget[]): readonly Listed[] {
  const counts = new Map<string, number>();
  return budgets.map((one) => {
    const whose = `${one.subject.kind}:${one.subject.id}`;
    const number = counts.get(whose) ?? 0;
    if (one.id === null) counts.set(whose, number + 1);
    return { ...one, key: one.id ?? `${whose}:${number}` };
  });
}

/** The share that is spent or held, 0 to 1, for a meter. */
export function shareUsed({ limit_usd, remaining_usd }: Pick<Budget, "limit_usd" | "remaining_usd">): number {
  const limit = Number(limit_usd);
  return limit <= 0 ? 1 : Math.max(0, Math.min(1, 1 - Number(remaining_usd) / limit));
}

/** Where it stands, as a tone and a word. */
export function stateOf(budget: Budget): readonly [tone: string, word: string] {
  const used = shareUsed(budget);
  const first = budget.warn_at.length > 0 ? Math.min(...budget.warn_at) : 1;
  if (used >= 1) return budget.on_exceeded === "block" ? ["failed", "used up"] : ["degraded", "used up"];
  return used >= first ? ["degraded", "nearly used up"] : ["ok", "within"];
}

const AFTER: Readonly<Record<string, string>> = {
  block: "requests are refused", warn: "requests pass, and are told", shadow: "requests pass, and the log says what would have been refused",
  downgrade: "another model serves",
}; // prettier-ignore

/** What happens where it is not enough. */
export const afterwards = (budget: Budget): string => `${AFTER[budget.on_exceeded] ?? budget.on_exceeded}${budget.downgrade_to ? `: ${budget.downgrade_to}` : ""}`;

/** "in 3 days", "rolls on", "never": when what is spent begins anew. */
export function resets(budget: Pick<Budget, "period" | "period_end">, now = Date.now()): string {
  if (budget.period.startsWith("rolling")) return "rolls on";
  return budget.period_end === null ? "never" : ahead(budget.period_end, now);
}

/** Since when until when, in words. */
export function span(budget: Budget): string {
  if (budget.period_start === null) return "since ever";
  return budget.period_end === null || budget.period.startsWith("rolling") ? `since ${moment(budget.period_start)}` : `${moment(budget.period_start)} to ${moment(budget.period_end)}`;
}

/** The requests that it counts, as filters of the log: null where the log cannot tell them apart. */
export function requestsOf(budget: Budget): Readonly<Record<string, string>> | null {
  const filters = subjectFilters(budget.subject);
  return filters && { ...filters, timezone: budget.timezone, ...(budget.period_start ? { from: budget.period_start } : {}) };
}

/** The same time as days of its zone, for sums; only a period of whole days has them. */
export function usageOf(budget: Budget, now = Date.now()): Readonly<Record<string, string>> | null {
  const filters = subjectFilters(budget.subject);
  if (!filters || budget.period.startsWith("rolling") || budget.period_start === null) return null;
  const [from, today] = [dayOf(Date.parse(budget.period_start), budget.timezone), dayOf(now, budget.timezone)];
  return { ...filters, from, to: today < from ? addDays(from, 0) : today, timezone: budget.timezone };
}

const PERIODS = ["month", "week", "day", "rolling_5h", "rolling_7d", "rolling_30d", "never"];

/** A form's fields; those of a new one are the same. */
export const BUDGET_FIELDS: readonly Field[] = [
  { name: "limit_usd", label: "Limit in USD", read: (text) => text.trim().replace(/^\$/, "") },
  { name: "period", label: "Period", kind: PERIODS },
  { name: "timezone", label: "Time zone", hint: "When days, weeks and months begin.", read: (text) => text.trim() },
  { name: "on_exceeded", label: "When it is used up", kind: ["block", "warn", "downgrade", "shadow"], hint: "shadow only writes down what it would have refused." },
  { name: "downgrade_to", label: "Downgrade to", hint: "The model that serves then; empty unless downgrade is chosen." },
  { name: "warn_at", label: "Warn at", hint: "Shares, with spaces between: 0.5 0.8. Alerts tell of them.", write: LIST.write, read: (text) => ((LIST.read(text) ?? []) as readonly string[]).map(Number) },
  { name: "hold", label: "Hold", kind: ["elastic", "worst_case"], hint: "worst_case holds the most that a request may cost." },
  { name: "unpriced", label: "Models without a price", kind: ["deny", "allow"] },
  MODELS,
]; // prettier-ignore
