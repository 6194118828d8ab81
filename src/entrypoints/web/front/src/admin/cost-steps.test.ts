import { describe, expect, test } from "vitest";
import { beyond, stepsOf, type Used } from "./cost-steps";

const used = (fields: Partial<Used>): Used => ({ input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, cache_write_1h_tokens: 0, reasoning_tokens: 0, ...fields });
const PRICES = { input: "2.5", output: "10", cache_read: "0.25", tiers: [{ above_input_tokens: 1000, input: "5" }] };

describe("a call's cost is its tokens by kind, times their price", () => {
  test.each<[Partial<Used>, readonly string[], string]>([
    [{ input_tokens: 100, output_tokens: 10 }, ["100 tokens in × 2.5 = 0.00025", "10 tokens out × 10 = 0.0001"], "0.00035"],
    [{ input_tokens: 100, cache_read_tokens: 60, output_tokens: 10, reasoning_tokens: 4 }, ["40 tokens in × 2.5 = 0.0001", "60 tokens from the cache × 0.25 = 0.000015", "6 tokens out × 10 = 0.00006", "4 tokens of reasoning × 10 = 0.00004"], "0.000215"],
    [{ input_tokens: 1000 }, ["1000 tokens in × 2.5 = 0.0025"], "0.0025"],
    [{ input_tokens: 1001 }, ["1001 tokens in × 5 = 0.005005"], "0.005005"],
    [{}, [], "0"],
  ])("%o", (fields, lines, sum) => {
    const found = stepsOf(used(fields), PRICES)!;
    expect(found.steps.map((one) => `${one.tokens} ${one.what} × ${one.price} = ${one.cost}`)).toEqual(lines);
    expect(found.sum).toBe(sum);
  });
});

test("the sum is rounded half up to a nano-USD, once", () => {
  expect(stepsOf(used({ input_tokens: 1, output_tokens: 1 }), { input: "0.0005", output: "0.0009" })!.sum).toBe("0.000000001");
  expect(stepsOf(used({ input_tokens: 1 }), { input: "0.0005" })!.sum).toBe("0.000000001");
  expect(stepsOf(used({ input_tokens: 1 }), { input: "0.000499" })!.sum).toBe("0");
});

test("what has no price has no steps, and what is beyond them is told", () => {
  expect(stepsOf(used({ output_tokens: 1 }), { input: "1" })).toBeNull();
  expect([beyond("0.00035", "0.00035"), beyond("0.01035", "0.00035"), beyond("0.0001", "0.00035")]).toEqual([null, "0.01", "-0.00025"]);
});
