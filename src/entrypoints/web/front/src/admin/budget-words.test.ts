import { expect, test } from "vitest";
import { BUDGET_FIELDS, listed, requestsOf, resets, shareUsed, stateOf, usageOf, type Budget } from "./budget-words";

const BUDGET: Budget = {
  id: null, subject: { kind: "key", id: "key_1" }, subject_name: "notebook", limit_usd: "25.00", period: "month", timezone: "Europe/Berlin",
  warn_at: [0.8], on_exceeded: "block", downgrade_to: null, hold: "elastic", unpriced: "deny", models: null,
  spent_usd: "3.10", held_usd: "0.25", remaining_usd: "21.65", period_start: "2026-10-31T23:00:00Z", period_end: "2026-11-30T23:00:00Z",
}; // prettier-ignore
const NOW = Date.parse("2026-11-30T12:00:00Z");

test("a budget's address is its id, or whose it is and which of them", () => {
  const whole = listed([{ ...BUDGET, id: "bud_1" }, BUDGET, BUDGET, { ...BUDGET, subject: { kind: "tag", id: "a:b" } }]);
  expect(whole.map((one) => one.key)).toEqual(["bud_1", "key:key_1:0", "key:key_1:1", "tag:a:b:0"]);
});

test.each([
  ["21.65", ["ok", "within"]],
  ["5.00", ["degraded", "nearly used up"]],
  ["0.00", ["failed", "used up"]],
] as const)("with %s left it says how it stands by shape and word", (remaining_usd, state) => {
  expect(stateOf({ ...BUDGET, remaining_usd })).toEqual(state);
});

test("a budget that refuses nothing has not failed when it is used up", () => {
  expect(stateOf({ ...BUDGET, remaining_usd: "0.00", on_exceeded: "shadow" })).toEqual(["degraded", "used up"]);
});

test("a budget of nothing is used up", () => {
  expect(shareUsed({ limit_usd: "0", remaining_usd: "0" })).toBe(1);
});

test("when it begins anew is a moment, never, or always a little", () => {
  expect(resets(BUDGET, NOW)).toBe("in 11 h");
  expect(resets({ period: "never", period_end: null }, NOW)).toBe("never");
  expect(resets({ period: "rolling_7d", period_end: "2026-11-30T23:00:00Z" }, NOW)).toBe("rolls on");
});

test("its requests are those of its subject since its period began", () => {
  expect(requestsOf(BUDGET)).toEqual({ key_id: "key_1", from: "2026-10-31T23:00:00Z", timezone: "Europe/Berlin" });
  expect(requestsOf({ ...BUDGET, subject: { kind: "provider_key", id: "pk_1" } })).toBeNull();
});

test("its usage is of the days of its zone", () => {
  expect(usageOf(BUDGET, NOW)).toEqual({ key_id: "key_1", from: "2026-11-01", to: "2026-11-30", timezone: "Europe/Berlin" });
  expect(usageOf({ ...BUDGET, period: "rolling_7d" }, NOW)).toBeNull();
});

test("what a form's field holds is what the gateway takes", () => {
  const read = (name: string, text: string): unknown => BUDGET_FIELDS.find((one) => one.name === name)!.read!(text);
  expect(read("warn_at", "0.5 0.8")).toEqual([0.5, 0.8]);
  expect(read("warn_at", "")).toEqual([]);
  expect(read("limit_usd", " $50 ")).toBe("50");
});
