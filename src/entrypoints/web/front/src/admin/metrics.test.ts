import { expect, test } from "vitest";
import { metricOf, seriesOf } from "./metrics";
import type { Usage } from "./types";

const DAYS = ["2026-11-29", "2026-11-30"];
const row = (day: string, model: string | null, cost_usd: string) => ({ day, model, cost_usd, requests: 1, input_tokens: 2, output_tokens: 3 });
const usage = (...data: readonly unknown[]) => ({ data, total: {} }) as unknown as Usage;

test("each group is a series over all days, the largest first, what is nothing left out", () => {
  const found = seriesOf(usage(row("2026-11-29", "a", "1"), row("2026-11-30", "b", "2"), row("2026-11-30", "a", "0.5"), row("2026-11-30", null, "0")), DAYS, "model", "cost");

  expect(found).toEqual([{ name: "b", values: [0, 2] }, { name: "a", values: [1, 0.5] }]);
});

test("beyond six series the rest is one, and nothing is lost", () => {
  const rows = Array.from({ length: 9 }, (_, i) => row("2026-11-30", `m${i}`, String(i)));

  const found = seriesOf(usage(...rows), DAYS, "model", "cost");

  expect(found.map((one) => one.name)).toEqual(["m8", "m7", "m6", "m5", "m4", "other"]);
  expect(found.at(-1)!.values).toEqual([0, 6]);
});

test("hours are found by the moment they begin at", () => {
  const hours = ["2026-11-30T13:00:00.000Z", "2026-11-30T14:00:00.000Z"];
  const found = seriesOf(usage({ ...row("2026-11-30", "a", "3"), hour: "2026-11-30T14:00:00Z" }), hours, "model", "cost");

  expect(found).toEqual([{ name: "a", values: [0, 3] }]);
});

test("without a group there is one series of what is shown", () => {
  expect(seriesOf(usage(row("2026-11-29", null, "1")), DAYS, null, "tokens")).toEqual([{ name: "Tokens", values: [5, 0] }]);
  expect([metricOf("tokens"), metricOf(null), metricOf("toString")]).toEqual(["tokens", "cost", "cost"]);
});
