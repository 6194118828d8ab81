import { describe, expect, test } from "vitest";
import { ago, ahead, bytes, exactUsd, seconds, stretch, usd } from "./format";

describe("money", () => {
  test.each([["0.00", "$0"], ["0.000004950", "$0.00000495"], ["0.5", "$0.50"], ["0.04", "$0.04"], ["1234.5", "$1,234.50"]])("%s is %s", (text, shown) => {
    expect(usd(text)).toBe(shown);
  });
});

test("a moment is told by how long ago it was", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(["2026-11-30T11:59:40Z", "2026-11-30T11:20:00Z", "2026-11-30T02:00:00Z", "2026-11-29T11:00:00Z"].map((one) => ago(one, now))).toEqual(["now", "40 min ago", "10 h ago", "1 day ago"]);
});

test("durations are milliseconds up to a second", () => {
  expect([412.4, 1234].map(seconds)).toEqual(["412 ms", "1.2 s"]);
});

test("stretches are told in their two largest units", () => {
  expect([0, 59, 61, 3600, 90_061, 172_800].map(stretch)).toEqual(["0 seconds", "59 seconds", "1 minute 1 second", "1 hour", "1 day 1 hour", "2 days"]);
});

test("what will be is told by how far ahead it is", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  expect(["2026-11-30T11:00:00Z", "2026-11-30T12:00:30Z", "2026-11-30T12:10:00Z", "2026-11-30T15:00:00Z", "2026-12-02T15:00:00Z"].map((one) => ahead(one, now))).toEqual(["now", "in 30 s", "in 10 min", "in 3 h", "in 2 days 3 hours"]);
});

test("sizes are binary", () => {
  expect([12, 2048, 16_777_216].map(bytes)).toEqual(["12 B", "2 KiB", "16.0 MiB"]);
});

test("exact money keeps every digit", () => {
  expect(["0.000001230", "12", "1234567.5", "0.10", "-3.25", "100.00"].map(exactUsd)).toEqual(["$0.00000123", "$12.00", "$1,234,567.50", "$0.10", "-$3.25", "$100.00"]);
});
