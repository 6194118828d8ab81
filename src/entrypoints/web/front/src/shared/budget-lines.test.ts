import { expect, test } from "vitest";
import { budgetLine, readBudgets, writeBudgets, type BudgetLine } from "./budget-lines";

const USUAL = { timezone: "UTC", warn_at: [0.8], on_exceeded: "block", downgrade_to: null, hold: "elastic", unpriced: "deny", models: null };

test.each<[BudgetLine, string]>([
  [{ limit_usd: "25.00", period: "month", ...USUAL }, "25.00 month"],
  [{ limit_usd: "5", period: "day", ...USUAL, timezone: "Europe/Berlin" }, "5 day Europe/Berlin"],
  [{ limit_usd: "5", period: "week", ...USUAL, warn_at: [0.5, 0.9], on_exceeded: "downgrade", downgrade_to: "groq/free" }, "5 week warn_at=0.5,0.9 on_exceeded=downgrade downgrade_to=groq/free"],
  [{ limit_usd: "1", period: "month", ...USUAL, models: ["openai/*", "!openai/*-pro"], warn_at: [] }, "1 month warn_at= models=openai/*,!openai/*-pro"],
])("a budget is one line, and the line that budget", (budget, line) => {
  expect(budgetLine(budget)).toBe(line);
  const [read] = readBudgets(line) as Record<string, unknown>[];
  expect({ ...USUAL, ...read }).toEqual(budget);
});

test("empty lines are no budgets, and there may be several", () => {
  expect(readBudgets(" \n")).toEqual([]);
  expect(readBudgets("$1 day\n\n2 month")).toEqual([{ limit_usd: "1", period: "day" }, { limit_usd: "2", period: "month" }]);
  expect(writeBudgets([{ limit_usd: "1", period: "day" }, { limit_usd: "2", period: "month" }])).toBe("1 day\n2 month");
});
