import { computed, signal } from "@preact/signals";
import { address, go } from "../shared/address";
import { call, getAgain, getJson, sendJson } from "../shared/http";
import { session } from "../shared/session";
import type { Conversation, Message, Model, Template, WholeConversation } from "./types";

/** What the chat knows. Everything that lasts is the gateway's; this is what is on the screen. */
export const models = signal<readonly Model[]>([]);
export const model = signal(localStorage.getItem("omg.model") ?? "auto");
/** Who pays for what is asked: one of the tenants one may spend in; empty for one's own. */
export const payer = signal("");
export const conversations = signal<readonly Conversation[]>([]);
export const moreConversations = signal<string | null>(null);
export const templates = signal<readonly Template[]>([]);
export const current = signal<Omit<WholeConversation, "messages"> | null>(null);
export const messages = signal<readonly Message[]>([]);
export const systemPrompt = signal("");
export const searched = signal("");
export const notice = signal("");
export const draft = signal("");

export const line = computed(() => messages.value.filter((one) => one.active));

/** Other answers to the same message, oldest first, the one itself among them. */
export const siblingsOf = (message: Message): readonly Message[] =>
  messages.value.filter((one) => one.parent_id === message.parent_id && one.role === message.role);

export function chooseModel(id: string): void {
  model.value = id;
  localStorage.setItem("omg.model", id);
}

export async function loadModels(): Promise<void> {
  const of = payer.value;
  const { data } = await getJson<{ data: Model[] }>(of ? `/api/models?${new URLSearchParams({ tenant_id: of })}` : "/api/models");
  if (of !== payer.value) return; // on another account by now
  models.value = data;
  if (!model.value.includes("/") && !models.value.some((one) => one.id === model.value)) chooseModel(models.value[0]?.id ?? "auto");
}

const PAYER = "omg.tenant";

/** The tenants in which one may ask; one's own, where there is one, comes first. */
export const payers = computed(() => (session.value?.tenants ?? []).filter((one) => one.role !== "viewer").sort((a, b) => Number(b.kind === "personal") - Number(a.kind === "personal")));

/** The one that was chosen last, where one may still ask in it: else one's own, else the first. */
export function choosePayer(id = localStorage.getItem(PAYER) ?? ""): void {
  const found = payers.value.find((one) => one.id === id) ?? payers.value[0];
  payer.value = found && found.kind === "shared" ? found.id : "";
  localStorage.setItem(PAYER, payer.value);
}

/** For the body of whatever is asked of a model. */
export const paying = (): Readonly<Record<string, string>> => (payer.value ? { tenant_id: payer.value } : {});

export async function loadTemplates(): Promise<void> {
  templates.value = (await getJson<{ data: Template[] }>("/api/templates")).data;
}

interface Page {
  readonly data: Conversation[];
  readonly next_cursor: string | null;
}

export async function loadConversations(more = false): Promise<void> {
  const asked = new URLSearchParams({ limit: "50" });
  const query = searched.value;
  if (query) asked.set("query", query);
  if (more && moreConversations.value) asked.set("cursor", moreConversations.value);
  const get = conversations.value.length > 0 ? getAgain : getJson;
  const page = await get<Page>(`/api/conversations?${asked}`);
  if (query !== searched.value) return; // a later search has been asked meanwhile
  conversations.value = more ? [...conversations.value, ...page.data] : page.data;
  moreConversations.value = page.next_cursor;
  const named = page.data.find((one) => one.id === current.value?.id);
  if (named && current.value && named.title !== current.value.title) current.value = { ...current.value, title: named.title };
}

export const conversationInAddress = (): string | null => /^\/app\/c\/([^/]+)/.exec(address.value.pathname)?.[1] ?? null;

/** Whether what is on the screen is the conversation of the address. */
export const conversationShown = computed(() => conversationInAddress() === (current.value?.id ?? null));

let opening: Promise<void> | null = null;
let wanted: string | null = null;

/** Once what the address names is on the screen, or could not be had. What is sent before would go to another one. */
export async function conversationOpened(): Promise<void> {
  const id = conversationInAddress();
  if (opening || !conversationShown.value) await openConversation(id).catch(() => undefined);
  if (!conversationShown.value) throw new Error("This conversation could not be opened; what you wrote is still there.");
}

export function openConversation(id: string | null): Promise<void> {
  if (opening && wanted === id) return opening;
  wanted = id;
  const work = show(id).finally(() => {
    if (opening === work) opening = null;
  });
  opening = work;
  return work;
}

async function show(id: string | null): Promise<void> {
  if (id === null) {
    current.value = null;
    messages.value = [];
    systemPrompt.value = "";
    return;
  }
  const { messages: all, ...conversation } = await getJson<WholeConversation>(`/api/conversations/${id}?all=true`);
  if (id !== wanted) return; // another one was opened meanwhile
  current.value = conversation;
  messages.value = all;
  systemPrompt.value = conversation.system_prompt;
  if (conversation.model && models.value.some((one) => one.id === conversation.model)) model.value = conversation.model;
}

export const showConversation = (id: string | null): void => go(id ? `/app/c/${id}` : "/app");

export async function change(changes: Readonly<Record<string, string>>): Promise<void> {
  const id = current.value?.id;
  if (!id) return;
  await sendJson("PATCH", `/api/conversations/${id}`, changes);
  await Promise.all([conversationInAddress() === id ? openConversation(id) : undefined, loadConversations()]);
}

export async function setSystemPrompt(text: string): Promise<void> {
  systemPrompt.value = text;
  if (current.value) await change({ system_prompt: text });
}

export async function clone(upTo?: string): Promise<void> {
  if (!current.value) return;
  const body = upTo === undefined ? {} : { up_to_message_id: upTo };
  const copy = await sendJson<Conversation>("POST", `/api/conversations/${current.value.id}/clone`, body);
  showConversation(copy.id);
  attempt(loadConversations());
}

export async function remove(id: string): Promise<void> {
  await sendJson("DELETE", `/api/conversations/${id}`);
  if (current.value?.id === id) showConversation(null);
  await loadConversations();
}

export async function upload(file: File): Promise<string> {
  const form = new FormData();
  form.set("file", file);
  const answer = await call("POST", "/api/files", { body: form });
  return ((await answer.json()) as { id: string }).id;
}

/** Say what went wrong with something that was asked for, where everybody sees it. */
export function attempt(work: Promise<unknown>): void {
  work.catch((error: Error) => {
    notice.value = error.message;
  });
}
