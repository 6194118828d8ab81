import { describe, expect, test } from "vitest";
import { changeOf, groupName, requestsLink, rowsOf } from "./groupings";
import type { UsageRow } from "./types";

const row = (groups: Readonly<Record<string, string | null>>) => ({ requests: 1, ...groups }) as unknown as UsageRow;
const PERIOD = { from: "2026-11-01", to: "2026-11-30", timezone: "Europe/Oslo" };

describe("a group leads to its rows", () => {
  test.each([
    [row({ day: "2026-11-21", model: "a/b c" }), ["day", "model"] as const, "from=2026-11-21&to=2026-11-21&timezone=Europe%2FOslo&model=a%2Fb+c"],
    [row({ day: "2026-11-21", hour: "2026-11-21T22:00:00Z" }), ["hour", "day"] as const, "from=2026-11-21T22%3A00%3A00Z&to=2026-11-21T23%3A00%3A00.000Z&timezone=Europe%2FOslo"],
    [row({ key: "key_1" }), ["key"] as const, "from=2026-11-01&to=2026-11-30&timezone=Europe%2FOslo&key_id=key_1"],
  ])("%o", (group, by, query) => {
    expect(requestsLink(rowsOf(group, by, PERIOD)!)).toBe(`/app/admin/requests?${query}`);
  });
  test("not where it has none, or the log has no such filter", () => {
    expect(rowsOf(row({ key: null }), ["key"], PERIOD)).toBeNull();
  });
});

test("a group is called by its name, its id, or none", () => {
  expect([row({ key: "key_1", key_name: "laptop" }), row({ key: "key_1" }), row({ key: null })].map((one) => groupName(one, "key"))).toEqual(["laptop", "key_1", "none"]);
});

test("changes are told in percent", () => {
  expect([[12, 10], [9, 10], [5, 5], [0, 0], [3, 0], [30, 2]].map(([now, before]) => changeOf(now!, before!))).toEqual(["+20 %", "−10 %", "±0 %", "±0 %", null, "+1,400 %"]);
});
