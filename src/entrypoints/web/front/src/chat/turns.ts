import { signal } from "@preact/signals";
import { ApiError, call } from "../shared/http";
import { serverEvents } from "../shared/events";
import { go } from "../shared/address";
import { deviceHeaders } from "./device";
import { attempt, conversationOpened, current, draft, loadConversations, messages, model, openConversation, paying, systemPrompt } from "./store";
import type { ContentPart, Message } from "./types";

/** The turn that is under way, if one is. */
export const running = signal<AbortController | null>(null);

const blank: Omit<Message, "id" | "role" | "content"> = {
  model: null, provider: null, reasoning: "", status: "complete", parent_id: null, active: true, tokens_input: null,
  tokens_output: null, cost_usd: null, unpriced: false, latency_ms: null, request_id: null, error: null, created_at: "",
}; // prettier-ignore

interface Start {
  readonly conversation_id: string;
  readonly user_message_id: string;
  readonly message_id: string;
}

/** Send a message to the conversation on the screen, a new one where there is none. */
export async function send(text: string, pictures: readonly string[] = [], template?: { id: string; values: Readonly<Record<string, string>> }): Promise<void> {
  try {
    await conversationOpened();
  } catch (error) {
    draft.value ||= text;
    throw error;
  }
  const parts: ContentPart[] = pictures.map((id) => ({ type: "image", file_id: id, url: `/api/files/${id}` }));
  const content: string | ContentPart[] = parts.length > 0 ? [{ type: "text", text }, ...parts] : text;
  const before = messages.value.filter((one) => one.active).at(-1)?.id ?? null;
  const user: Message = { ...blank, id: "sent", role: "user", content, parent_id: before, created_at: new Date().toISOString() };
  const body = {
    model: model.value,
    content: typeof content === "string" ? content : content.map(({ url: _, ...part }) => part),
    ...(current.value ? { conversation_id: current.value.id } : {}),
    ...(!current.value && systemPrompt.value ? { system_prompt: systemPrompt.value } : {}),
    ...paying(),
    ...(template ? { template_id: template.id, template_values: template.values } : {}),
  };
  await run("/api/chat/stream", body, [user], "sent");
}

/** Another answer to the message before this one. */
export async function again(message: Message, otherModel?: string): Promise<void> {
  await conversationOpened();
  if (!current.value) return;
  const user = message.role === "user" ? message.id : message.parent_id;
  messages.value = messages.value.map((one) => (user !== null && one.id > user ? { ...one, active: false } : one));
  const body = { conversation_id: current.value.id, message_id: message.id, model: otherModel ?? model.value, ...paying() };
  await run("/api/chat/regenerate", body, [], user);
}

export function stop(): void {
  running.value?.abort();
}

/** Changes one message, where it is on the screen: one may have gone to another conversation meanwhile. */
function replace(id: string, change: Partial<Message>): void {
  if (messages.value.some((one) => one.id === id)) messages.value = messages.value.map((one) => (one.id === id ? { ...one, ...change } : one));
}

/** Streams an answer into the last message. At most one paint a frame, however fast the events come. */
async function run(path: string, body: unknown, sent: readonly Message[], parent: string | null): Promise<void> {
  const leave = new AbortController();
  running.value = leave;
  const waiting: Message = { ...blank, id: "waiting", role: "assistant", content: "", status: "streaming", parent_id: parent, model: model.value };
  messages.value = [...messages.value, ...sent, waiting];
  let [text, reasoning, frame, id, answering] = ["", "", 0, current.value?.id ?? "", waiting.id];
  const paint = (): void => {
    frame = 0;
    replace(answering, { content: text, reasoning });
  };
  try {
    const answer = await call("POST", path, { body, signal: leave.signal, headers: deviceHeaders() });
    for await (const { event, data } of serverEvents(answer)) {
      const value = JSON.parse(data) as unknown;
      if (event === "start") [id, answering] = started(value as Start);
      else if (event === "delta") text += (value as { text: string }).text;
      else if (event === "reasoning") reasoning += (value as { text: string }).text;
      else if (event === "done") {
        cancelAnimationFrame(frame);
        replace(answering, value as Message);
        return;
      } else if (event === "error") throw failure(value);
      frame ||= requestAnimationFrame(paint);
    }
    throw new Error("The connection was cut. What had come is kept.");
  } catch (error) {
    cancelAnimationFrame(frame);
    const stopped = leave.signal.aborted;
    replace(answering, { content: text, reasoning, status: stopped ? "stopped" : "failed", error: stopped ? null : (error as Error).message });
    if (id) attempt(catchUp(id));
  } finally {
    running.value = null;
    attempt(loadConversations());
  }
}

/** The ids of what was sent are known: the conversation has an address from now on. */
function started(ids: Start): readonly [string, string] {
  const here = messages.value.some((one) => one.id === "waiting");
  messages.value = messages.value.map((one) =>
    one.id === "sent" ? { ...one, id: ids.user_message_id } : one.id === "waiting" ? { ...one, id: ids.message_id, parent_id: ids.user_message_id } : one,
  );
  if (here && current.value?.id !== ids.conversation_id) {
    const now = new Date().toISOString();
    current.value = { id: ids.conversation_id, title: "", model: model.value, system_prompt: systemPrompt.value, parent_id: null, created_at: now, updated_at: now };
    go(`/app/c/${ids.conversation_id}`, true);
  }
  return [ids.conversation_id, ids.message_id];
}

function failure(value: unknown): ApiError {
  const { error, request_id } = value as { error: { code: string; message: string }; request_id: string };
  return new ApiError(0, error.code, error.message, request_id);
}

/** After an answer that ended early: what the gateway has of it, with its cost, once it has written that down. */
async function catchUp(id: string): Promise<void> {
  for (const pause of [150, 600, 2_000, 5_000, 10_000, 20_000]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (running.value || current.value?.id !== id) return;
    try {
      await openConversation(id);
    } catch {
      continue; // out of reach still: what is on the screen stays
    }
    if (messages.value.every((one) => one.status !== "streaming")) return;
  }
}
