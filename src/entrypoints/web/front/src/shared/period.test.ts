import { expect, test } from "vitest";
import { dayList, hourList, periodBefore, periodOf, periodParams } from "./period";

const NOW = Date.parse("2026-11-30T23:30:00Z");
const read = (query: string) => periodOf(new URLSearchParams(query), NOW);

test.each([
  ["", "UTC", "2026-11-01", "2026-11-30"],
  ["days=7&timezone=Europe/Oslo", "Europe/Oslo", "2026-11-25", "2026-12-01"],
  ["from=2026-10-25&to=2026-10-25&timezone=Europe/Oslo", "Europe/Oslo", "2026-10-25", "2026-10-25"],
  ["from=2026-10-25", "UTC", "2026-10-25", "2026-11-30"],
  ["from=2026-10-25&to=2026-10-01", "UTC", "2026-10-25", "2026-11-30"],
  ["from=2027-01-01", "UTC", "2027-01-01", "2027-01-01"],
  ["days=-3&timezone=Mars/Olympus&from=yesterday", "UTC", "2026-11-01", "2026-11-30"],
])("the address %s says a period", (query, zone, from, to) => {
  expect(periodParams(read(query))).toEqual({ timezone: zone, from, to });
});

test("a day has 25 hours where its clock is put back", () => {
  const hours = hourList(read("from=2026-10-25&to=2026-10-25&timezone=Europe/Oslo"));

  expect([hours.length, hours[0], hours[24]]).toEqual([25, "2026-10-24T22:00:00.000Z", "2026-10-25T22:00:00.000Z"]);
});

test("what is compared with is as long and right before", () => {
  const before = periodBefore(read("days=7"));
  expect([before.from, before.to, dayList(before).length]).toEqual(["2026-11-17", "2026-11-23", 7]);
});
