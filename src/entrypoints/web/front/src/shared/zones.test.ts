import { describe, expect, test } from "vitest";
import { addDays, dayOf, dayStart, daysBetween, isDay, isZone } from "./zones";

describe("a day begins at the first of its midnights", () => {
  test.each([
    ["2026-11-30", "UTC", "2026-11-30T00:00:00.000Z"],
    ["2026-11-30", "Asia/Kolkata", "2026-11-29T18:30:00.000Z"],
    ["2026-10-25", "Europe/Oslo", "2026-10-24T22:00:00.000Z"],
    ["2026-10-26", "Europe/Oslo", "2026-10-25T23:00:00.000Z"],
    ["2026-03-29", "Europe/Oslo", "2026-03-28T23:00:00.000Z"],
    ["2026-03-30", "Europe/Oslo", "2026-03-29T22:00:00.000Z"],
    ["2026-11-01", "America/New_York", "2026-11-01T04:00:00.000Z"],
    ["2026-11-02", "America/New_York", "2026-11-02T05:00:00.000Z"],
    ["2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00.000Z"], // 00:00 is skipped: the jump itself
    ["2026-10-30", "Africa/Cairo", "2026-10-29T22:00:00.000Z"], // the hour before it comes twice
    ["2026-11-01", "America/Havana", "2026-11-01T04:00:00.000Z"], // 00:00 itself comes twice
    ["2026-04-05", "Australia/Lord_Howe", "2026-04-04T13:00:00.000Z"],
    ["2026-04-06", "Australia/Lord_Howe", "2026-04-05T13:30:00.000Z"],
  ])("%s in %s", (day, zone, expected) => {
    expect(dayStart(day, zone)).toBe(expected);
  });
});

test("the date of a moment is the zone's", () => {
  const at = Date.parse("2026-11-30T23:30:00Z");
  expect(["UTC", "Europe/Oslo", "America/New_York"].map((zone) => dayOf(at, zone))).toEqual(["2026-11-30", "2026-12-01", "2026-11-30"]);
});

test("days are counted over the ends of months and years", () => {
  expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
  expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
  expect(daysBetween("2026-10-20", "2026-11-02")).toBe(14);
});

test("what is no day and no zone is known as such", () => {
  expect(["2026-11-30", "2026-13-01", "now", null].map(isDay)).toEqual([true, false, false, false]);
  expect(["Europe/Oslo", "Mars/Olympus"].map(isZone)).toEqual([true, false]);
});
