import { expect, test } from "vitest";
import { quotaFacts, quotaWords, shareLeft, tightest } from "./quota-words";
import type { QuotaStanding } from "./types";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const quota = (fields: Partial<QuotaStanding> = {}): QuotaStanding => ({
  pool: "free models", models: ["*:free"], dimension: "requests", window: "day", limit: 50, used: 41, remaining: 9, resets_at: "2026-11-22T00:00:00Z",
  forecast_exhausted_at: "2026-11-21T14:20:00Z", source: "registry", as_of: "2026-11-21", enforced: false, ...fields,
}); // prettier-ignore

test.each<[Partial<QuotaStanding>, string]>([
  [{}, "9 of 50 requests a day left"],
  [{ dimension: "input_tokens", window: "5h", limit: null, remaining: 12_000 }, "12,000 input tokens in five hours left"],
  [{ dimension: "usd", window: "once", limit: 5, remaining: 1.25 }, "$1.25 of $5 usd once left"],
  [{ limit: null, remaining: null }, "requests a day: no limit known"],
])("%o", (fields, words) => {
  expect(quotaWords(quota(fields))).toBe(words);
});

test("a quota says when it ends, and by whose word", () => {
  expect(quotaFacts(quota(), NOW)).toBe("free models · *:free · anew in 12 h · gone in 2 h at this rate · known of free accounts · orders keys, stops no call");
  expect(quotaFacts(quota({ pool: null, models: [], resets_at: null, forecast_exhausted_at: null, source: "admin", enforced: true }), NOW)).toBe("set here");
  expect([quota(), quota({ limit: 0 }), quota({ remaining: null }), quota({ remaining: 80 })].map(shareLeft)).toEqual([0.18, null, null, 1]);
});

test("of several quotas the one with the least left is the one that counts; none that is not known", () => {
  const [much, little, unknown] = [quota({ remaining: 40 }), quota({ remaining: 3 }), quota({ limit: null, remaining: null })];
  expect(tightest([much, unknown, little])).toBe(little);
  expect(tightest([unknown])).toBeNull();
});
