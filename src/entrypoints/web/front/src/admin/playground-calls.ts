import type { ServerEvent } from "../shared/events";

/** The APIs under `/v1` that the playground speaks. */
export const APIS = [
  ["chat", "Chat", "/v1/chat/completions"],
  ["messages", "Messages", "/v1/messages"],
  ["responses", "Responses", "/v1/responses"],
  ["embeddings", "Embeddings", "/v1/embeddings"],
] as const;

export type Api = (typeof APIS)[number][0];

export const apiOf = (name: string | null): Api => APIS.find(([one]) => one === name)?.[0] ?? "chat";
export const pathOf = (api: Api): string => APIS.find(([one]) => one === api)![2];

export interface Asking {
  readonly api: Api;
  readonly model: string;
  readonly system: string;
  readonly text: string;
  readonly most: number | null;
  readonly temperature: number | null;
  readonly stream: boolean;
}

/** The most tokens of an answer where the API wants to be told and nobody says. */
const USUAL_MOST = 1024;

/** The body that asks for it, as each API writes it. */
export function bodyOf({ api, model, system, text, most, temperature, stream }: Asking): Readonly<Record<string, unknown>> {
  const heat = temperature === null ? {} : { temperature };
  const streamed = stream ? { stream: true } : {};
  if (api === "embeddings") return { model, input: text };
  if (api === "responses") return { model, ...(system ? { instructions: system } : {}), input: text, ...(most === null ? {} : { max_output_tokens: most }), ...heat, ...streamed };
  if (api === "messages") return { model, ...(system ? { system } : {}), messages: [{ role: "user", content: text }], max_tokens: most ?? USUAL_MOST, ...heat, ...streamed };
  const messages = [...(system ? [{ role: "system", content: system }] : []), { role: "user", content: text }];
  return { model, messages, ...(most === null ? {} : { max_tokens: most }), ...heat, ...streamed };
}

type Json = Readonly<Record<string, unknown>>;

const within = (value: unknown, ...path: readonly (string | number)[]): unknown => path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (at as Record<string | number, unknown>)[key] : undefined), value);
const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = within(value, ...path);
  return typeof found === "string" ? found : "";
};
const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = within(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** What an event of a stream adds to the text. Raises `Error` where it says that the answer failed. */
export function addedBy(api: Api, { event, data }: ServerEvent): string {
  if (data === "[DONE]") return "";
  const value = JSON.parse(data) as Json;
  const failure = within(value, "error") ?? within(value, "response", "error");
  if (failure) throw new Error(textAt(failure, "message") || "The answer ended with an error.");
  if (event === "error" || value["type"] === "error") throw new Error(textAt(value, "message") || "The answer ended with an error.");
  if (api === "messages") return textAt(value, "delta", "text");
  if (api === "responses") return value["type"] === "response.output_text.delta" ? textAt(value, "delta") : "";
  return textAt(value, "choices", 0, "delta", "content");
}

/** The text of a whole answer; of embeddings how many numbers there are, and the first of them. */
export function textOf(api: Api, body: unknown): string {
  if (api === "messages") return listAt(body, "content").map((one) => textAt(one, "text")).join("");
  if (api === "responses") return listAt(body, "output").flatMap((one) => listAt(one, "content")).map((one) => textAt(one, "text")).join("");
  if (api === "chat") return textAt(body, "choices", 0, "message", "content");
  return listAt(body, "data").map((one) => vectorInWords(within(one, "embedding"))).join("\n");
}

function vectorInWords(vector: unknown): string {
  if (!Array.isArray(vector)) return "an embedding as text";
  const first = vector.slice(0, 8).map((one) => Number(one).toFixed(4)).join(", ");
  return `${vector.length} numbers: ${first}${vector.length > 8 ? ", …" : ""}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The same as a command. The key is a variable of the shell: it stands in no address, no history and no clipboard. */
export function commandOf(origin: string, asking: Asking): string {
  const stream = asking.stream && asking.api !== "embeddings" ? " -N" : "";
  return `curl${stream} "${origin}${pathOf(asking.api)}" -H "Authorization: Bearer $OMG_KEY" -H "Content-Type: application/json" -d ${quoted(JSON.stringify(bodyOf(asking)))}`;
}
