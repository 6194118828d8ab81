import { expect, test } from "vitest";
import { joined } from "./pages-of-list";

const row = (id: number, said = "") => ({ id: String(id), said });
const ids = (pages: Parameters<typeof joined<ReturnType<typeof row>>>[0]) => joined(pages, (one) => one.id).map((one) => `${one.id}${one.said}`);

test.each([
  ["what is new stands first, and nothing between is lost", [{ data: [row(6), row(5), row(4)] }, { data: [row(4), row(3), row(2)] }, { data: [row(1)] }], ["6", "5", "4", "3", "2", "1"]],
  ["a row is as the newest page says", [{ data: [row(2, " new"), row(1)] }, { data: [row(2, " old")] }], ["2 new", "1"]],
  ["one page twice is one page", [{ data: [row(2)] }, { data: [row(1)] }, { data: [row(1)] }], ["2", "1"]],
])("%s", (_, pages, expected) => {
  expect(ids(pages)).toEqual(expected);
});
