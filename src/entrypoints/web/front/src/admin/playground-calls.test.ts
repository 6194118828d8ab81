import { expect, test } from "vitest";
import { APIS, addedBy, apiOf, bodyOf, commandOf, textOf, type Api, type Asking } from "./playground-calls";

const ASKING: Asking = { api: "chat", model: "fast", system: "", text: "Hi", most: null, temperature: null, stream: false };

test.each<[Partial<Asking>, object]>([
  [{}, { model: "fast", messages: [{ role: "user", content: "Hi" }] }],
  [{ system: "Be brief.", most: 5, temperature: 0, stream: true }, { model: "fast", messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Hi" }], max_tokens: 5, temperature: 0, stream: true }],
  [{ api: "messages" }, { model: "fast", messages: [{ role: "user", content: "Hi" }], max_tokens: 1024 }],
  [{ api: "messages", system: "S", most: 7 }, { model: "fast", system: "S", messages: [{ role: "user", content: "Hi" }], max_tokens: 7 }],
  [{ api: "responses", system: "S", most: 7, stream: true }, { model: "fast", instructions: "S", input: "Hi", max_output_tokens: 7, stream: true }],
  [{ api: "embeddings", system: "S", stream: true }, { model: "fast", input: "Hi" }],
])("%j is asked for as its API writes it", (part, body) => expect(bodyOf({ ...ASKING, ...part })).toEqual(body));

const event = (value: unknown, name = "message") => ({ event: name, data: typeof value === "string" ? value : JSON.stringify(value) });

test.each<[Api, unknown, string]>([
  ["chat", { choices: [{ delta: { content: "a" } }] }, "a"],
  ["chat", { choices: [{ delta: { role: "assistant", content: null } }] }, ""],
  ["chat", { choices: [], usage: {} }, ""],
  ["chat", "[DONE]", ""],
  ["messages", { type: "content_block_delta", delta: { type: "text_delta", text: "b" } }, "b"],
  ["messages", { type: "message_start", message: {} }, ""],
  ["responses", { type: "response.output_text.delta", delta: "c" }, "c"],
  ["responses", { type: "response.function_call_arguments.delta", delta: "{}" }, ""],
  ["responses", { type: "response.completed", response: { error: null } }, ""],
])("an event of %s, %j, adds '%s'", (api, value, text) => expect(addedBy(api, event(value))).toBe(text));

test.each<[Api, unknown, string]>([
  ["chat", { error: { message: "It broke." } }, "message"],
  ["messages", { type: "error", error: { type: "api_error", message: "It broke." } }, "error"],
  ["responses", { type: "response.failed", response: { error: { message: "It broke." } } }, "message"],
  ["responses", { type: "error", message: "It broke." }, "error"],
])("an event of %s that says that it failed is raised: %j", (api, value, name) => expect(() => addedBy(api, event(value, name))).toThrow("It broke."));

test.each<[Api, unknown, string]>([
  ["chat", { choices: [{ message: { content: "hi" } }] }, "hi"],
  ["chat", { choices: [] }, ""],
  ["messages", { content: [{ type: "thinking", thinking: "…" }, { type: "text", text: "h" }, { type: "text", text: "i" }] }, "hi"],
  ["responses", { output: [{ type: "reasoning" }, { content: [{ text: "hi" }] }] }, "hi"],
  ["embeddings", { data: [{ embedding: [1, 2, 3, 4, 5, 6, 7, 8, 9] }] }, "9 numbers: 1.0000, 2.0000, 3.0000, 4.0000, 5.0000, 6.0000, 7.0000, 8.0000, …"],
  ["embeddings", { data: [{ embedding: "AAAA" }] }, "an embedding as text"],
  ["chat", null, ""],
])("the text of a whole answer of %s", (api, body, text) => expect(textOf(api, body)).toBe(text));

test("a command has the key as a variable of the shell and survives quotes", () => {
  const command = commandOf("http://x", { ...ASKING, text: "It's" });

  expect(command).toContain("Bearer $OMG_KEY");
  expect(command).toContain(`It'\\''s`);
  expect(command.startsWith('curl "http://x/v1/chat/completions"')).toBe(true);
});

test("an address that names no API asks for a chat", () => expect([null, "constructor", ...APIS.map(([name]) => name)].map(apiOf)).toEqual(["chat", "chat", "chat", "messages", "responses", "embeddings"]));
