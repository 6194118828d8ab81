import { expect, test } from "vitest";
import type { Standing } from "../shared/left-words";
import { askWords, reasonOf, standingsOf } from "./refusal";

const one = (kind: string, unit: string, refuses = false): Standing => ({
  subject: { kind, id: "1", name: "n" }, limit: 1, used: 1, held: 0, remaining: 0, unit, period: null, period_start: null, period_end: null,
  timezone: null, on_exceeded: null, models: null, source: "field", refuses,
}); // prettier-ignore
const BY = { kind: "member", id: "1" };
const NOBODY = { keys: false, contacts: [] };

test("a refusal names its reason, and anything else has none", () => {
  expect(reasonOf({ error_code: "budget_exceeded", refused_by: BY })).toBe("A budget had too little left for it.");
  expect(reasonOf({ error_code: "upstream_error", refused_by: null })).toBeNull();
  expect(reasonOf({ error_code: null, refused_by: null })).toBeNull();
});

test("what is shown is of whom it was refused for, and what refuses stands first", () => {
  const found = { limits: [one("member", "rpm")], budgets: [one("member", "usd"), one("tenant", "usd"), one("member", "usd", true)] };
  expect(standingsOf({ error_code: "budget_exceeded", refused_by: BY }, found).map((each) => each.refuses)).toEqual([true, false]);
  expect(standingsOf({ error_code: "rate_limit_exceeded", refused_by: BY }, found).map((each) => each.unit)).toEqual(["rpm"]);
  expect(standingsOf({ error_code: "budget_exceeded", refused_by: null }, found)).toEqual([]);
});

test.each([
  ["budget_exceeded", { kind: "key", id: "1" }, { keys: true, contacts: [] }, "It is your own key: change it under Keys, up to what you have yourself."],
  ["budget_exceeded", { kind: "member", id: "1" }, { keys: true, contacts: ["ada@example.com"] }, "Ask ada@example.com: they set what you have in this tenant."],
  ["budget_exceeded", { kind: "tenant", id: "1" }, NOBODY, "It is everybody's in the tenant: ask the platform's admin."],
  ["budget_exceeded", { kind: "tenant", id: "1" }, { keys: true, contacts: ["ada@example.com"] }, "It is everybody's in the tenant: ask the platform's admin, or ada@example.com to do so."],
  ["rate_limit_exceeded", { kind: "tag", id: "1" }, NOBODY, "Ask the platform's admin."],
  ["tenant_suspended", null, { keys: true, contacts: ["ada@example.com"] }, "Ask the platform's admin."],
  ["model_not_allowed", null, NOBODY, "Ask an owner or admin of the tenant."],
])("%s by %o says whom to ask", (error_code, refused_by, own, words) => {
  expect(askWords({ error_code, refused_by }, own)).toBe(words);
});
