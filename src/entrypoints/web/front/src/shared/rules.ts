/** Limits and budgets, as the API writes them and as people read them. */
export type Limits = Readonly<Record<string, number | null>>;

export interface Budget {
  readonly limit_usd: string;
  readonly period: string;
  readonly timezone: string;
  readonly on_exceeded: string;
  readonly models: readonly string[] | null;
}

const COUNTED: Readonly<Record<string, string>> = {
  rpm: "requests a minute", rpd: "requests a day", tpm: "tokens a minute", tpd: "tokens a day",
  itpm: "tokens in a minute", otpm: "tokens out a minute", parallel: "requests at once",
}; // prettier-ignore

const PERIODS: Readonly<Record<string, string>> = {
  day: "a day", week: "a week", month: "a month", rolling_5h: "in any 5 hours", rolling_7d: "in any 7 days", rolling_30d: "in any 30 days", never: "in all",
}; // prettier-ignore

const AFTER: Readonly<Record<string, string>> = { warn: "warns only", shadow: "is only watched", downgrade: "then a cheaper model serves" };

const count = new Intl.NumberFormat("en");

/** `600 requests a minute, 4 requests at once`; empty where nothing is limited. */
export const limitsInWords = (limits: Limits): string =>
  Object.entries(limits)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${count.format(value!)} ${COUNTED[name] ?? name}`)
    .join(", ");

/** `$25.00 a month (Europe/Berlin)`, and what happens where it is not the usual refusal. */
export function budgetInWords(budget: Budget): string {
  const zone = budget.timezone === "UTC" ? "" : ` (${budget.timezone})`;
  const models = budget.models ? ` for ${budget.models.join(", ")}` : "";
  const after = AFTER[budget.on_exceeded];
  return `$${budget.limit_usd} ${PERIODS[budget.period] ?? budget.period}${zone}${models}${after ? `, ${after}` : ""}`;
}

/** Both of them in one sentence. */
export function rulesInWords(limits: Limits, budgets: readonly Budget[]): string {
  const parts = [limitsInWords(limits), ...budgets.map(budgetInWords)].filter(Boolean);
  return parts.join("; ") || "none";
}
