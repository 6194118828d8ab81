import { expect, test } from "vitest";
import type { Field } from "../shared/changes";
import { causesInWords, plainTarget, policyOf, readTargets, requireInWords, targetsInWords, textOf, whenInWords, writeTargets, type When } from "./route-words";

test.each<[When | null | undefined, string]>([
  [null, ""],
  [{}, ""],
  [{ tasks: ["coding", "chat"] }, "task coding or chat"],
  [{ max_input_tokens: 8000 }, "up to 8,000 tokens"],
  [{ min_input_tokens: 0, max_input_tokens: 100 }, "0 to 100 tokens"],
  [{ min_input_tokens: 5 }, "from 5 tokens"],
  [{ tags: ["batch"], hours: ["8-12", "13-18"], timezone: "Europe/Berlin" }, "tag batch, 8-12, 13-18 Europe/Berlin"],
  [{ hours: "22:00-06:00" }, "22:00-06:00 UTC"],
])("conditions %j are in words '%s'", (when, words) => expect(whenInWords(when)).toBe(words));

test("targets are listed with what is not usual of them", () => {
  expect(targetsInWords([{ provider: "groq", model: "a/b", weight: 1 }, { model: "c", weight: 3, when: { tags: ["x"] }, successor: true }])).toBe("groq/a/b, c (any provider) (weight 3; tag x; or its successor)");
  expect(targetsInWords([])).toBe("no target");
});

test.each([["", "no JSON"], ["{}", "no list"], ['[1, null, {"provider": "a"}]', "no target in it"]])("%s reads as no target: %s", (text) => expect(readTargets(text)).toEqual([]));

test("what is as it would be anyway is not written, so that equal targets are equal texts", () => {
  const long = { provider: "", model: "m", weight: 1, when: { tasks: [], hours: "", timezone: "UTC" }, successor: false };

  expect(plainTarget(long)).toEqual({ model: "m" });
  expect(writeTargets([long])).toBe(writeTargets([{ model: "m" }]));
  expect(readTargets(writeTargets([{ provider: "p", model: "m", weight: 0, when: { min_input_tokens: 0 } }]))).toEqual([{ provider: "p", model: "m", weight: 0, when: { min_input_tokens: 0 } }]);
});

test("a mock stays one, whatever else is changed of its route", () => {
  const mock = { model: "m", mock: { text: "Closed.", status: 503, delay_seconds: 2 } };

  expect(readTargets(writeTargets([mock]))).toEqual([mock]);
  expect(plainTarget({ model: "m", mock: { text: "Hi.", status: null } })).toEqual({ model: "m", mock: { text: "Hi." } });
  expect(plainTarget({ model: "m", mock: null })).toEqual({ model: "m" });
  expect(targetsInWords([mock])).toBe("m (mock)");
});

const FIELDS: readonly Field[] = [
  { name: "strategy", label: "", kind: ["priority"] },
  { name: "require.capabilities", label: "", read: (text) => text.split(" ").filter(Boolean) },
  { name: "require.no_training", label: "", kind: "check" },
];

test("a policy is the form's fields over what the form does not hold; requirements that ask nothing are none", () => {
  const form = new FormData();
  form.set("strategy", "priority");
  form.set("require.capabilities", "");

  expect(policyOf(FIELDS, (name) => textOf(form, name), { affinity: true })).toEqual({ affinity: true, strategy: "priority", require: null });
  form.set("require.no_training", "on");
  expect(policyOf(FIELDS, (name) => textOf(form, name))).toEqual({ strategy: "priority", require: { capabilities: [], no_training: true } });
});

test("requirements and causes are in words", () => {
  expect(requireInWords({ capabilities: ["tools"], regions: ["eu", "ch"], no_training: true })).toBe("tools, data stays in eu or ch, nothing is trained on it");
  expect([requireInWords(null), requireInWords({})]).toEqual(["nothing", "nothing"]);
  expect([causesInWords(null), causesInWords([]), causesInWords(["rate_limit"])]).toEqual(["the usual causes", "never", "rate limit"]);
});
