import { describe, expect, test } from "vitest";
import { endOf, matches, priceLines, rate } from "./model-words";
import type { PricedModel } from "./types";

const model = (fields: Readonly<Record<string, unknown>> = {}): PricedModel =>
  ({ provider: "groq", model: "openai/gpt-oss-120b", owned_by: "openai", capabilities: ["chat"], prices: null, source: null, price_id: null, deprecated_at: null, retired_at: null, ...fields }) as unknown as PricedModel;

describe("a search finds every word anywhere", () => {
  test.each([["", true], ["GPT groq", true], ["oss chat", true], ["gpt image", false]])("%s", (search, found) => {
    expect(matches(model(), search, null)).toBe(found);
  });
});

test("states narrow the list", () => {
  const own = model({ source: "admin", price_id: "price_1", retired_at: "2026-12-31" });
  expect((["priced", "unpriced", "own", "ending"] as const).map((state) => [matches(model(), "", state), matches(own, "", state)])).toEqual([[false, true], [true, false], [false, true], [false, true]]);
});

test("prices are written out, line by line", () => {
  const prices = {
    input: "1.25", output: "10", cache_read: "0.125", fees: { web_search: "0.01" },
    tiers: [{ above_input_tokens: 200_000, input: "2.50" }],
    variants: { "service_tier:priority": { input: "2.50", tiers: [{ above_input_tokens: 200_000, input: "5" }] } },
  }; // prettier-ignore
  const lines = priceLines({ prices, units: { image: { "1024x1024/high": "0.167", "*": "0.04" } } } as never).map((one) => `${one.when}|${one.what} ${one.price} per ${one.per}`);

  expect(lines).toEqual([
    "|input $1.25 per 1M tokens", "|output $10.00 per 1M tokens", "|cache read $0.125 per 1M tokens", "|web search $0.01 per call",
    "above 200,000 tokens in|input $2.50 per 1M tokens",
    "service_tier:priority|input $2.50 per 1M tokens", "service_tier:priority, above 200,000 tokens in|input $5.00 per 1M tokens",
    "1024x1024/high|image $0.167 per image", "|image $0.04 per image",
  ]); // prettier-ignore
});

test("a model's end is said, and whether it has come", () => {
  expect([{}, { deprecated_at: "2026-10-01" }, { retired_at: "2026-12-31" }, { retired_at: "2026-11-01" }].map((one) => endOf(model(one), "2026-11-30"))).toEqual(["", "deprecated", "2026-12-31", "gone 2026-11-01"]);
  expect([rate(model(), "input"), rate(model({ prices: { input: "0.35" } }), "input"), rate(model({ prices: { input: "0.35" } }), "output")]).toEqual(["unpriced", "$0.35", "–"]);
});
