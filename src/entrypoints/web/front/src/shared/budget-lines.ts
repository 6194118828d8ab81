export type BudgetLine = Readonly<Record<string, unknown>> & { readonly limit_usd: string; readonly period: string };

const DEFAULTS: Readonly<Record<string, unknown>> = { timezone: "UTC", warn_at: [0.8], on_exceeded: "block", downgrade_to: null, hold: "elastic", unpriced: "deny", models: null };

/** A budget as one line: `25.00 month Europe/Berlin`, then what else differs from what is usual as `name=value`. */
export function budgetLine(budget: BudgetLine): string {
  const { limit_usd, period, timezone, ...rest } = budget;
  const usual = (name: string, value: unknown): boolean => JSON.stringify(value) === JSON.stringify(DEFAULTS[name] ?? null);
  const others = Object.entries(rest).filter(([name, value]) => !usual(name, value)).map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`);
  return [limit_usd, period, ...(timezone && timezone !== "UTC" ? [timezone] : []), ...others].join(" ");
}

const LISTS: Readonly<Record<string, (text: string) => unknown>> = { warn_at: Number, models: (text) => text };

function readLine(line: string): Record<string, unknown> {
  const [limit_usd, ...words] = line.trim().split(/\s+/) as [string, ...string[]];
  const budget: Record<string, unknown> = { limit_usd: limit_usd.replace(/^\$/, "") };
  for (const word of words) {
    const at = word.indexOf("=");
    const [name, value] = [word.slice(0, at), word.slice(at + 1)];
    if (at > 0) budget[name] = LISTS[name] ? value.split(",").filter(Boolean).map(LISTS[name]) : value;
    else if (word.includes("/") || word === "UTC") budget["timezone"] = word;
    else budget["period"] = word;
  }
  return budget;
}

/** The budgets of a text, one a line; the gateway says what is wrong with them. */
export const readBudgets = (text: string): unknown => text.split("\n").filter((line) => line.trim()).map(readLine);

export const writeBudgets = (value: unknown): string => (Array.isArray(value) ? (value as BudgetLine[]).map(budgetLine).join("\n") : "");
