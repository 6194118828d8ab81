import { expect, test } from "vitest";
import { budgetInWords, limitsInWords, rulesInWords } from "./rules";

const NONE = { rpm: null, rpd: null, tpm: null, tpd: null, itpm: null, otpm: null, parallel: null };
const BUDGET = { limit_usd: "25.00", period: "month", timezone: "UTC", on_exceeded: "block", models: null };

test("limits are said in words, those that are set and a 0 too", () => {
  expect(limitsInWords({ ...NONE, rpm: 1200, parallel: 0 })).toBe("1,200 requests a minute, 0 requests at once");
  expect(limitsInWords(NONE)).toBe("");
});

test("a budget says its period, zone, models and what happens after it", () => {
  expect(budgetInWords(BUDGET)).toBe("$25.00 a month");
  expect(budgetInWords({ ...BUDGET, period: "rolling_5h", timezone: "Europe/Berlin", on_exceeded: "warn", models: ["openai/*"] })).toBe(
    "$25.00 in any 5 hours (Europe/Berlin) for openai/*, warns only",
  );
});

test("where nothing holds, that is said", () => {
  expect(rulesInWords(NONE, [])).toBe("none");
  expect(rulesInWords({ ...NONE, rpd: 5 }, [BUDGET, { ...BUDGET, period: "never" }])).toBe("5 requests a day; $25.00 a month; $25.00 in all");
});
