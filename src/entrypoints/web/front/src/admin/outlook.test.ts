import { expect, test } from "vitest";
import { endingInWords, endingsOf, type StandingBudget } from "./outlook";
import type { Provider } from "./types";

const NOW = Date.parse("2026-11-11T00:00:00Z");
const BUDGET: StandingBudget = {
  id: null, subject: { kind: "key", id: "key_1" }, subject_name: "laptop", limit_usd: "30.00", period: "month", spent_usd: "10.00", held_usd: "0.00",
  remaining_usd: "20.00", period_start: "2026-11-01T00:00:00Z", period_end: "2026-12-01T00:00:00Z",
}; // prettier-ignore
const [only] = [(part: Partial<StandingBudget>) => endingsOf([{ ...BUDGET, ...part }], [], NOW)[0]!];

test.each<[Partial<StandingBudget>, string]>([
  [{}, "anew in 20 days"],
  [{ spent_usd: "15.00", remaining_usd: "15.00" }, "gone in 10 days at this rate"],
  [{ spent_usd: "30.00", remaining_usd: "0.00" }, "used up, anew in 20 days"],
  [{ spent_usd: "0.00", remaining_usd: "30.00" }, "anew in 20 days"],
  [{ period: "never", period_end: null }, "gone in 20 days at this rate"],
  [{ period: "rolling_7d", period_start: null, period_end: null }, ""],
  [{ limit_usd: "0.00", spent_usd: "0.00", remaining_usd: "0.00", period_end: null }, "used up"],
])("a budget with %j is '%s'", (part, words) => expect(endingInWords(only(part), NOW)).toBe(words));

test("a budget says whose it is, what is left, and where it is", () => {
  expect(only({})).toMatchObject({ kind: "key", name: "laptop", left: "$20.00 of $30.00 left this month", href: "/app/admin/budgets?find=key_1" });
  expect(only({ subject_name: null }).name).toBe("key_1");
});

const quota = (remaining: number | null, gone: string | null) => ({
  pool: null, models: [], dimension: "requests", window: "day", limit: 50, used: null, remaining, resets_at: "2026-11-12T00:00:00Z", forecast_exhausted_at: gone, source: "registry", as_of: null, enforced: true,
}); // prettier-ignore
const provider = (name: string, quotas: readonly unknown[]) => ({ id: name, name, quotas }) as unknown as Provider;

test("what is gone stands first, then what will be gone soonest, then by what is left; what nobody knows is left out", () => {
  const found = endingsOf([BUDGET], [provider("soon", [quota(9, "2026-11-11T02:00:00Z"), quota(null, null)]), provider("gone", [quota(0, null)]), provider("full", [quota(50, null)])], NOW);

  expect(found.map((one) => [one.name, endingInWords(one, NOW)])).toEqual([
    ["gone", "used up, anew in 1 day"],
    ["soon", "gone in 2 h at this rate"],
    ["laptop", "anew in 20 days"],
    ["full", "anew in 1 day"],
  ]);
});
