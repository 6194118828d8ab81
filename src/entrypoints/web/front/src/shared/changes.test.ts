import { describe, expect, test } from "vitest";
import { LIST, bodyOf, changesOf, conflictsOf, flattened, inWords, ticked, type Field } from "./changes";

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name" },
  { name: "priority", label: "Priority", kind: "number" },
  { name: "allowed_models", label: "Models", ...LIST },
  { name: "enabled", label: "Enabled", kind: "check" },
];
const SHOWN = { name: "laptop", priority: 10, allowed_models: ["openai/*", "!openai/*-pro"], enabled: true, secret: "…9f2c" };
const texts = (changed: Readonly<Record<string, string>>) => (name: string) => ({ name: "laptop", priority: "10", allowed_models: "openai/* !openai/*-pro", enabled: "true", ...changed })[name] ?? "";

describe("only what was changed is sent", () => {
  test.each<[Readonly<Record<string, string>>, unknown]>([
    [{}, []],
    [{ name: "desktop" }, [{ field: "name", old: "laptop", new: "desktop" }]],
    [{ priority: "0" }, [{ field: "priority", old: 10, new: 0 }]],
    [{ priority: "" }, [{ field: "priority", old: 10, new: null }]],
    [{ allowed_models: "" }, [{ field: "allowed_models", old: ["openai/*", "!openai/*-pro"], new: null }]],
    [{ allowed_models: "openai/*,  !openai/*-pro" }, []],
    [{ enabled: "false" }, [{ field: "enabled", old: true, new: false }]],
  ])("%o", (changed, expected) => {
    expect(changesOf(FIELDS, SHOWN, texts(changed))).toEqual(expected);
  });
});

test("a conflict is what another changed of the same fields", () => {
  const mine = changesOf(FIELDS, SHOWN, texts({ name: "desktop", priority: "5" }));

  expect(conflictsOf(mine, { ...SHOWN, name: "tablet", enabled: false })).toEqual([{ field: "name", old: "tablet", new: "desktop" }]);
});

test("values are told in words", () => {
  expect([null, "", [], ["a", "b"], 0, false, { rpm: 5 }].map(inWords)).toEqual(["nothing", "no text", "nothing at all", "a, b", "0", "false", '{"rpm":5}']);
});

test("fields of parts are shown one by one, and a changed part is sent whole", () => {
  const shown = { key: { rpm: 60, tpm: null }, tenant: { rpm: null }, models: ["a"] };

  expect(flattened(shown)).toEqual({ "key.rpm": 60, "key.tpm": null, "tenant.rpm": null, models: ["a"] });
  expect(bodyOf([{ field: "key.tpm", old: null, new: 5 }], shown)).toEqual({ key: { rpm: 60, tpm: 5 } });
  expect(bodyOf([{ field: "models", old: ["a"], new: null }], shown)).toEqual({ models: null });
});

test("boxes are ticked in their own order, whatever order the list has, so that nothing seems changed", () => {
  const boxes = ticked([["a", "A"], ["b", "B"], ["c", "C"]]);
  expect(boxes.write(["c", "a"])).toBe("a c");
  expect(boxes.read("a c")).toEqual(["a", "c"]);
  expect(boxes.read("")).toEqual([]);
});
