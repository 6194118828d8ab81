import { describe, expect, test } from "vitest";
import { axisWidth, dayName, ticks } from "./chart";

describe("an axis ends at a round number", () => {
  test.each([[4.4, [0, 2, 4, 6]], [0.9, [0, 0.25, 0.5, 0.75, 1]], [0, [0, 1]], [100, [0, 25, 50, 75, 100]]])("from %d", (most, expected) => {
    expect(ticks(most)).toEqual(expected);
  });
});

test("a day is named without its year", () => {
  expect(dayName("2026-11-30")).toBe("Nov 30");
});

test("an axis has room for the longest of its labels", () => {
  expect(axisWidth(["$0", "$0.000050"])).toBeGreaterThanOrEqual("$0.000050".length * 6.5 + 8);
  expect(axisWidth(["0", "5"])).toBeLessThan(axisWidth(["$0.000050"]));
});
