import { expect, test } from "vitest";
import { endOfDay, scopeInWords } from "./token-words";

test.each([
  ["all", "everything"],
  ["usage", "reads usage and cost"],
  ["tenant:ten_1", "administers ten_1"],
  ["constructor", "constructor"],
])("the scope %s is told as %s", (scope, words) => {
  expect(scopeInWords(scope)).toBe(words);
});

test("the last day is included", () => {
  expect(endOfDay("2026-12-31")).toBe("2027-01-01T00:00:00.000Z");
});
