import { h, type VNode } from "preact";
import { expect, test } from "vitest";
import { bare, basePathOf, below, leadBelow } from "./base-path";

test.each([
  ["/assets/web/http-abc.js", ""],
  ["/llm/assets/web/http-abc.js", "/llm"],
  ["/a/b/assets/web/http-abc.js", "/a/b"],
  ["/src/shared/base-path.ts", ""],
])("a file loaded from %s says what stands before every path", (asset, base) => expect(basePathOf(asset)).toBe(base));

test.each([
  ["/app/admin", "/llm/app/admin"],
  ["/llm/app/admin", "/llm/app/admin"],
  ["/llmore", "/llm/llmore"],
  ["https://elsewhere.example/x", "https://elsewhere.example/x"],
  ["//elsewhere.example/x", "//elsewhere.example/x"],
  ["#main", "#main"],
  ["?open=1", "?open=1"],
])("%s is asked for as %s", (path, asked) => {
  expect(below(path, "/llm")).toBe(asked);
  expect(below(path, "")).toBe(path);
});

test("what is compared has no base path", () => {
  expect(["/llm/app", "/app", "/llm", "/llmore/app"].map((path) => bare(path, "/llm"))).toEqual(["/app", "/app", "/llm", "/llmore/app"]);
});

test("links and pictures lead below it, and nothing else does", () => {
  const made = [h("a", { href: "/app" }), h("img", { src: "/api/files/1" }), h("option", { value: "/app" })];
  for (const each of made) leadBelow(each as VNode, "/llm");
  expect(made.map((each) => each.props)).toEqual([{ href: "/llm/app" }, { src: "/llm/api/files/1" }, { value: "/app" }]);
});
