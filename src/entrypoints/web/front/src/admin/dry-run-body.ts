/** What a typed request may need, and the part of a body that needs it. */
export const NEEDS = [
  ["tools", "tools"],
  ["vision", "pictures"],
  ["json_schema", "a JSON schema"],
] as const;

const TOOLS = [{ type: "function", function: { name: "look_up", description: "Looks something up.", parameters: { type: "object", properties: {} } } }];
/** One pixel. */
const PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const SCHEMA = { type: "json_schema", json_schema: { name: "answer", schema: { type: "object", properties: {} } } };

const REST = /^\s*$/;

/** The chat completion that a form describes; a whole body goes before its fields. Raises `Error` where that is no JSON object. */
export function chatOf(form: FormData): Readonly<Record<string, unknown>> {
  const written = String(form.get("body") ?? "");
  if (!REST.test(written)) return bodyOf(written);
  const text = String(form.get("text") ?? "") || "Why is the sky blue?";
  const most = Number(form.get("max_tokens"));
  const pictured = form.has("vision");
  return {
    messages: [{ role: "user", content: pictured ? [{ type: "text", text }, { type: "image_url", image_url: { url: PICTURE } }] : text }],
    ...(form.has("tools") ? { tools: TOOLS } : {}),
    ...(form.has("json_schema") ? { response_format: SCHEMA } : {}),
    ...(most > 0 ? { max_tokens: most } : {}),
  };
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`The body is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("The body is a JSON object with `messages`.");
  return value as Record<string, unknown>;
}
