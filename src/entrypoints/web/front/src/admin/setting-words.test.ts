import { expect, test } from "vitest";
import { shownValue, type SettingInForce } from "./setting-words";

const SETTING: SettingInForce = { variable: "OMG_X", key: "x", value: null, default: null, source: "default", masked: false, set: false, meaning: "" };

test.each([
  [{ value: "info" }, "info"],
  [{ value: 0 }, "0"],
  [{ value: false }, "false"],
  [{ value: [] }, "nothing"],
  [{ value: ["a", "b"] }, "a, b"],
  [{ value: "" }, "nothing"],
  [{ masked: true, set: true }, "set, and kept secret"],
  [{ masked: true }, "not set"],
])("%j is told as %s", (change, words) => {
  expect(shownValue({ ...SETTING, ...change })).toBe(words);
});
