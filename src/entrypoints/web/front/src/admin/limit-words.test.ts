import { expect, test } from "vitest";
import { facts, leftInWords, shareLeft, verdict, type Met } from "./limit-words";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const MET: Met = {
  subject: { kind: "key", id: "key_1", name: "notebook" }, limit: 60, used: 12, held: 0, remaining: 48, unit: "rpm",
  period_end: null, source: "field", refuses: false,
}; // prettier-ignore
const SPENT: Met = { ...MET, limit: "25.00", used: "24.75", held: "0.25", remaining: "0.00", unit: "usd", period_end: "2026-12-01T00:00:00Z", source: "default", refuses: true };

test("what is left is said in its unit", () => {
  expect(leftInWords(MET)).toBe("48 of 60 requests a minute left");
  expect(leftInWords(SPENT)).toBe("$0 of $25.00 left");
});

test("what is held, when there is room again and who says so stand beside it", () => {
  expect(facts(MET, NOW)).toBe("slides by the second · set at its object");
  expect(facts(SPENT, NOW)).toBe("$0.25 held · anew in 12 h · the default of the settings");
  expect(facts({ ...MET, unit: "parallel" }, NOW)).toContain("free when one of them ends");
});

test("a limit of nothing has nothing left", () => {
  expect(shareLeft({ ...MET, limit: 0, remaining: 0 })).toBe(0);
});

test("the verdict names the first that refuses and how many more", () => {
  expect(verdict({ limits: [], budgets: [] })).toContain("No limit and no budget");
  expect(verdict({ limits: [MET], budgets: [] })).toBe("Nothing here would refuse a request now.");
  expect(verdict({ limits: [{ ...MET, remaining: 0, refuses: true }], budgets: [SPENT] })).toBe(
    "A request would be refused: 0 of 60 requests a minute left of key notebook, and 1 more.",
  );
});
