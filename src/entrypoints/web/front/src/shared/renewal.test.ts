import { beforeEach, expect, test, vi } from "vitest";
import { isDue, renewed } from "./renewal";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 30, 12);
let kept: Map<string, string>;

beforeEach(() => {
  kept = new Map();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
});

test("a session is taken for new where nothing is known, and is due half a day later", () => {
  expect([isDue(NOW), isDue(NOW + 11 * HOUR), isDue(NOW + 12 * HOUR)]).toEqual([false, false, true]);
});

test("one tab renews for all", () => {
  renewed(NOW - 13 * HOUR);
  expect(isDue(NOW)).toBe(true);
  renewed(NOW);
  expect(isDue(NOW)).toBe(false);
});

test.each(["", "soon", String(NOW + HOUR)])("a mark that cannot be, %o, is begun anew", (mark) => {
  kept.set("omg.renewed", mark);
  expect([isDue(NOW), isDue(NOW + 12 * HOUR)]).toEqual([false, true]);
});
