import { expect, test } from "vitest";
import { chatOf } from "./dry-run-body";

const formOf = (fields: Readonly<Record<string, string>>): FormData => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
};

test("a text and what it needs are a chat completion's body", () => {
  expect(chatOf(formOf({ text: "Hi", max_tokens: "50" }))).toEqual({ messages: [{ role: "user", content: "Hi" }], max_tokens: 50 });
  const needy = chatOf(formOf({ text: "Look", tools: "on", vision: "on", json_schema: "on" }));
  expect(Object.keys(needy)).toEqual(["messages", "tools", "response_format"]);
  expect(JSON.stringify(needy["messages"])).toContain("image_url");
});

test("a whole body goes before the fields, and what is none says so", () => {
  expect(chatOf(formOf({ text: "Hi", body: ' {"messages": [], "top_p": 0} ' }))).toEqual({ messages: [], top_p: 0 });
  expect(() => chatOf(formOf({ body: "{" }))).toThrow("The body is no JSON");
  expect(() => chatOf(formOf({ body: "[1]" }))).toThrow("a JSON object");
});
