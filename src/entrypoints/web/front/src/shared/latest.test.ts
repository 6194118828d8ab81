import { describe, expect, test } from "vitest";
import { latest } from "./latest";

describe("answers in every order", () => {
  test.each([
    { order: [0, 1, 2], counted: [true, true, true] },
    { order: [2, 0, 1], counted: [true, false, false] },
    { order: [1, 2, 0], counted: [true, true, false] },
    { order: [1, 0, 2], counted: [true, false, true] },
    { order: [0, 2, 1], counted: [true, true, false] },
    { order: [2, 1, 0], counted: [true, false, false] },
  ])("$order", ({ order, counted }) => {
    const { ask } = latest();
    const questions = [ask(), ask(), ask()];

    expect(order.map((at) => questions[at]!())).toEqual(counted);
  });
});

test("what was dropped counts no more, what is asked afterwards does", () => {
  const { ask, drop } = latest();
  const before = ask();
  drop();
  const after = ask();

  expect([before(), after(), before()]).toEqual([false, true, false]);
});
