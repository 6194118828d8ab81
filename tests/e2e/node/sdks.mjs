// Calls the gateway with the official SDKs for Node and with Vercel's AI SDK, and prints what they made of the answers
// as one line of JSON. Environment: GATEWAY, KEY, UP (a provider), BAD (one whose calls fail).
import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI, { toFile } from "openai";

globalThis.AI_SDK_LOG_WARNINGS = false;
const { GATEWAY, KEY, UP, BAD } = process.env;
const messages = [{ role: "user", content: "grüß dich wörld" }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const functions = ["weather", "time"].map((name) => ({ type: "function", function: { name, parameters: schema } }));
const tools = ["weather", "time"].map((name) => ({ name, description: "x", input_schema: schema }));
const aiTools = { weather: tool({ description: "x", inputSchema: jsonSchema(schema) }) };

const openai = new OpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: GATEWAY, apiKey: KEY, maxRetries: 0 });
const compatible = createOpenAICompatible({ name: "omg", baseURL: `${GATEWAY}/v1`, apiKey: KEY, includeUsage: true });
const aiOpenAI = createOpenAI({ baseURL: `${GATEWAY}/v1`, apiKey: KEY });
const aiAnthropic = createAnthropic({ baseURL: `${GATEWAY}/v1`, apiKey: KEY });

const chat = (model, more = {}) => ({ model: `${UP}/${model}`, messages, ...more });
const message = (model, more = {}) => ({ model: `${UP}/${model}`, max_tokens: 64, messages, ...more });
const calls = (content) => content.filter((block) => block.type === "tool_use").map((block) => [block.name, block.input]);
const text = (content) => content.filter((block) => block.type === "text").map((block) => block.text).join("");

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return { kind: error.constructor.name, status: error.status ?? error.statusCode ?? null, id: Boolean(error.requestID) };
  }
  return null;
}

async function told(model, more = {}) {
  const plain = await generateText({ model, prompt: "hello there", maxRetries: 0, ...more });
  const stream = streamText({ model, prompt: "hello there", maxRetries: 0, ...more });
  const parts = [];
  for await (const part of stream.fullStream) parts.push(part);
  return {
    plain: plain.text,
    streamed: parts.filter((part) => part.type === "text-delta").map((part) => part.text).join(""),
    calls: parts.filter((part) => part.type === "tool-call").map((part) => [part.toolName, part.input]),
    errors: parts.filter((part) => part.type === "error").map((part) => String(part.error)),
    finish: await stream.finishReason,
    tokens: (await stream.usage).totalTokens,
  };
}

const cases = {
  "openai plain": async () => (await openai.chat.completions.create(chat("sim-echo"))).choices[0].message.content,
  "openai stream": async () =>
    (await openai.chat.completions.stream(chat("sim-echo")).finalChatCompletion()).choices[0].message.content,
  "openai tools": async () =>
    (await openai.chat.completions.stream(chat("sim-parallel-tools", { tools: functions })).finalChatCompletion())
      .choices[0].message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
  "openai models": async () => (await openai.models.list()).data.some((model) => model.id === `${UP}/sim-echo`),
  "openai error": () => refusal(() => openai.chat.completions.create({ model: `${BAD}/sim-422`, messages })),
  "openai broken": () => refusal(() => openai.chat.completions.stream({ model: `${BAD}/sim-cut-after-2`, messages }).done()),
  "openai embeddings": async () =>
    (await openai.embeddings.create({ model: `${UP}/sim-floats`, input: ["one", "two"], dimensions: 8 }))
      .data.map((item) => item.embedding.length),
  "openai completion": async () => {
    const stream = await openai.completions.create({ model: `${UP}/sim-echo`, prompt: "grüß dich wörld", stream: true });
    let said = "";
    for await (const chunk of stream) said += chunk.choices[0]?.text ?? "";
    return said;
  },
  "openai image": async () => Boolean((await openai.images.generate({ model: `${UP}/m`, prompt: "a cat" })).data[0].b64_json),
  "openai speech": async () =>
    (await (await openai.audio.speech.create({ model: `${UP}/m`, voice: "alloy", input: "one two" })).arrayBuffer()).byteLength,
  "openai transcription": async () =>
    typeof (await openai.audio.transcriptions.create({ model: `${UP}/m`, file: await toFile(Buffer.alloc(999), "a.wav") })).text,
  "openai moderation": async () => (await openai.moderations.create({ model: `${UP}/m`, input: ["a", "b"] })).results.length,
  "anthropic plain": async () => text((await anthropic.messages.create(message("sim-echo"))).content),
  "anthropic stream": async () => text((await anthropic.messages.stream(message("sim-echo")).finalMessage()).content),
  "anthropic tools": async () =>
    calls((await anthropic.messages.stream(message("sim-parallel-tools", { tools })).finalMessage()).content),
  "anthropic thinking": async () =>
    (await anthropic.messages.stream(message("sim-reasoning")).finalMessage()).content.map((block) => block.type),
  "anthropic count": async () => (await anthropic.messages.countTokens({ model: `${UP}/sim-echo`, messages })).input_tokens > 5,
  "anthropic models": async () => (await anthropic.models.list()).data.some((model) => model.id === `${UP}/sim-echo`),
  "anthropic error": () => refusal(() => anthropic.messages.create({ ...message("x"), model: `${BAD}/sim-422` })),
  "anthropic broken": () =>
    refusal(() => anthropic.messages.stream({ ...message("x"), model: `${BAD}/sim-cut-after-2` }).finalMessage()),
  "ai openai-compatible": () => told(compatible(`${UP}/sim-echo`)),
  "ai openai-compatible tools": async () => (await told(compatible(`${UP}/sim-tools`), { tools: aiTools })).calls,
  "ai embeddings": async () =>
    (await embedMany({ model: compatible.textEmbeddingModel(`${UP}/sim-echo`), values: ["one", "two"], maxRetries: 0 }))
      .embeddings.map((vector) => vector.length > 0),
  "ai openai chat": () => told(aiOpenAI.chat(`${UP}/sim-echo`)),
  "ai openai responses": () => told(aiOpenAI(`${UP}/sim-echo`)),
  "ai anthropic": () => told(aiAnthropic(`${UP}/sim-echo`)),
  "ai anthropic tools": async () => (await told(aiAnthropic(`${UP}/sim-tools`), { tools: aiTools })).calls,
};

const results = {};
for (const [name, call] of Object.entries(cases)) {
  try {
    results[name] = await call();
  } catch (error) {
    results[name] = { failed: `${error.constructor.name}: ${error.message}` };
  }
}
console.log(JSON.stringify(results));
