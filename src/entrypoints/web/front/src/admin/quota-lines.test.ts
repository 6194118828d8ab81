import { expect, test } from "vitest";
import { QUOTAS } from "./quota-lines";

test.each([
  ["", null],
  ["none", []],
  ["1000 requests day", [{ limit: 1000, dimension: "requests", window: "day" }]],
  ["50 requests day reset=00:00+America/Los_Angeles pool=free+models models=*:free,x/y\n2.5 usd month", [
    { limit: 50, dimension: "requests", window: "day", reset: "00:00 America/Los_Angeles", pool: "free models", models: ["*:free", "x/y"] },
    { limit: 2.5, dimension: "usd", window: "month" },
  ]],
])("a key's quotas %j are read and written alike", (text, quotas) => {
  expect(QUOTAS.read(text)).toEqual(quotas);
  expect(QUOTAS.write(quotas)).toBe(text);
});

test("what is missing in a line is left to the gateway to say", () => {
  expect(QUOTAS.read("many")).toEqual([{ limit: Number.NaN, dimension: "", window: "" }]);
});
