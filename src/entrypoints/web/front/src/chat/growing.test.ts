import { describe, expect, test } from "vitest";
import { sumUsd } from "./money";
import { GrowingText } from "./growing";

describe("sums of money", () => {
  test.each([
    [[], "0.000000000"],
    [["0.1", "0.2"], "0.300000000"],
    [["0.000000001", "12.999999999"], "13.000000000"],
    [["100"], "100.000000000"],
  ])("of %j", (amounts, expected) => {
    expect(sumUsd(amounts)).toBe(expected);
  });
});

describe("a growing text", () => {
  const TEXT = "# Title\n\nSome *words* and a list:\n\n1. one\n2. two\n\n```js\nlet a = 1;\n\nlet b = 2;\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\nend";

  test("reads as the whole text does, however it is cut", () => {
    const whole = new GrowingText().read(TEXT).map((one) => one.type);
    for (const step of [1, 7, 23]) {
      const growing = new GrowingText();
      for (let to = step; to < TEXT.length; to += step) growing.read(TEXT.slice(0, to));
      expect(growing.read(TEXT).map((one) => one.type)).toEqual(whole);
    }
  });

  test("keeps the blocks before its end as they are", () => {
    const growing = new GrowingText();
    const before = growing.read("first\n\nsecond\n\nthi");
    expect(growing.read("first\n\nsecond\n\nthird")[0]).toBe(before[0]);
  });
});
