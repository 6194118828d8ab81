import { expect, test } from "vitest";
import { afterWords, leftWords, resetWords, shareLeft, stateOf, whoseWords, type Standing } from "./left-words";

const BUDGET: Standing = {
  subject: { kind: "member", id: "ten_1/usr_1", name: "Ann" }, limit: "25.00", used: "3.10", held: "0.00", remaining: "21.90", unit: "usd",
  period: "month", period_start: "2026-10-31T23:00:00Z", period_end: "2026-11-30T23:00:00Z", timezone: "Europe/Berlin", on_exceeded: "block", models: null, source: "field", refuses: false,
}; // prettier-ignore
const RPM: Standing = { ...BUDGET, subject: { kind: "key", id: "key_1", name: "laptop" }, limit: 60, used: 12, held: 0, remaining: 48, unit: "rpm", period: null, period_start: null, period_end: null, timezone: null, on_exceeded: null };
const NAMES = new Map([["ten_1", "Workshop"], ["ten_2", "yourself"]]);

test("what is left is said of how much and in what time", () => {
  expect(leftWords(BUDGET).join(" ")).toBe("$21.90 of $25.00 a month left");
  expect(leftWords(RPM).join(" ")).toBe("48 of 60 requests in any minute left");
});

test.each([
  [{ kind: "member", id: "ten_1/usr_1", name: "Ann" }, "you in Workshop"],
  [{ kind: "member", id: "ten_1/usr_2", name: "Ben" }, "Ben in Workshop"],
  [{ kind: "user", id: "usr_1", name: "Ann" }, "you, everywhere"],
  [{ kind: "tenant", id: "ten_1", name: "Workshop" }, "all of Workshop"],
  [{ kind: "tenant", id: "ten_2", name: "Ann" }, "your own account"],
  [{ kind: "key", id: "key_1", name: "laptop" }, "the key laptop"],
  [{ kind: "tag", id: "batch", name: "batch" }, "requests with the tag batch"],
])("%o is named as its reader would", (subject, words) => {
  expect(whoseWords(subject, "usr_1", NAMES)).toBe(words);
});

test("a calendar period says when it begins anew in its own zone, the others what becomes of them", () => {
  const now = Date.parse("2026-11-30T20:00:00Z");
  expect(resetWords(BUDGET, now)).toBe("begins anew in 3 h, Tue, Dec 1, 00:00 Europe/Berlin");
  expect(resetWords({ ...BUDGET, period: "rolling_7d", period_end: null }, now)).toBe("what is older than 7 days counts no more");
  expect(resetWords({ ...BUDGET, period: "never", period_end: null }, now)).toBe("never begins anew");
  expect(resetWords(RPM, now)).toBe("free again within a minute");
  expect(resetWords({ ...RPM, unit: "parallel" }, now)).toBe("free again as requests end");
});

test("nothing left, little left and enough are told apart", () => {
  expect(stateOf(BUDGET)).toBeNull();
  expect(stateOf({ ...BUDGET, remaining: "4.99" })).toBe("little left");
  expect(stateOf({ ...BUDGET, remaining: "0.00" })).toBe("used up");
  expect(stateOf({ ...RPM, refuses: true })).toBe("used up");
  expect(shareLeft({ limit: 0, remaining: 0 })).toBe(0);
  expect(afterWords({ ...BUDGET, on_exceeded: "warn" })).toBe("only warns");
  expect(afterWords(BUDGET)).toBe("");
});
