import { below } from "../shared/base-path";
import { THEMES, setTheme, type Theme } from "../shared/theme";
import { getJson, sendJson } from "../shared/http";
import { attempt, chooseModel, clone, current, loadConversations, model, models, notice, openConversation, paying, searched, setSystemPrompt, showConversation } from "./store";
import type { Message } from "./types";
import { sheet, sidebar } from "./view";

export interface Command {
  readonly name: string;
  readonly takes: string;
  readonly does: string;
  readonly run: (rest: string) => void;
  readonly choices?: () => readonly string[];
}

/** What can be typed in place of a message. Each of them has a button too. */
export const COMMANDS: readonly Command[] = [
  { name: "model", takes: "name", does: "choose the model", choices: () => models.value.map((one) => one.id), run: (rest) => (rest ? byName(rest) : open("model")) },
  { name: "system", takes: "text", does: "set the system prompt", run: (rest) => (rest ? attempt(setSystemPrompt(rest)) : open("system")) },
  { name: "new", takes: "", does: "begin a conversation", run: () => showConversation(null) },
  { name: "clone", takes: "", does: "copy this conversation", run: () => attempt(clone()) },
  { name: "find", takes: "words", does: "search conversations", run: find },
  { name: "template", takes: "", does: "use or write a template", run: () => open("templates") },
  { name: "image", takes: "prompt", does: "have a picture made", run: (rest) => attempt(picture(rest)) },
  { name: "export", takes: "", does: "take the conversation away", run: () => open("export") },
  { name: "usage", takes: "", does: "tokens and cost", run: () => open("usage") },
  { name: "theme", takes: "name", does: THEMES.join(", "), choices: () => THEMES, run: (rest) => (THEMES.includes(rest as Theme) ? setTheme(rest as Theme) : open("settings")) },
  { name: "help", takes: "", does: "commands and keys", run: () => open("help") },
];

function open(name: typeof sheet.value): void {
  sheet.value = name;
}

/** What could come next: names of commands, and behind a name its choices. */
export function completions(text: string): readonly { readonly insert: string; readonly label: string; readonly does: string }[] {
  const [, name = "", space = "", rest = ""] = /^\/(\S*)(\s*)(.*)$/s.exec(text) ?? [];
  if (!text.startsWith("/")) return [];
  if (!space) {
    return COMMANDS.filter((one) => one.name.startsWith(name)).map((one) => ({ insert: `/${one.name}${one.takes ? " " : ""}`, label: `/${one.name} ${one.takes}`.trim(), does: one.does }));
  }
  const choices = COMMANDS.find((one) => one.name === name)?.choices?.() ?? [];
  const wanted = rest.toLowerCase();
  if (choices.includes(rest)) return [];
  return choices.filter((one) => one.toLowerCase().includes(wanted)).slice(0, 8).map((one) => ({ insert: `/${name} ${one}`, label: one, does: "" }));
}

const commandOf = (text: string): readonly [Command | undefined, string] => {
  const [, name, rest = ""] = /^\/(\S+)\s*(.*)$/s.exec(text) ?? [];
  return [COMMANDS.find((one) => one.name === name), rest.trim()];
};

/** Whether it is one of them: what has a space before its stroke is a message. */
export const isCommand = (text: string): boolean => commandOf(text)[0] !== undefined;

export function runCommand(text: string): void {
  const [command, rest] = commandOf(text);
  command?.run(rest);
}

function byName(rest: string): void {
  const wanted = rest.toLowerCase();
  const found = models.value.find((one) => one.id.toLowerCase() === wanted) ?? models.value.find((one) => one.id.toLowerCase().includes(wanted));
  if (found) chooseModel(found.id);
  else if (rest.includes("/")) chooseModel(rest); // a model of a provider that does not list it
  else notice.value = `No model is called ${rest}.`;
}

function find(rest: string): void {
  sidebar.value = true;
  searched.value = rest;
  attempt(loadConversations());
  queueMicrotask(() => document.getElementById("find")?.focus());
}

async function picture(prompt: string): Promise<void> {
  if (!prompt) throw new Error("Say what the picture should show: /image a lighthouse at dawn");
  notice.value = "The picture is being made.";
  const place = current.value?.id;
  const body = { prompt, model: model.value, ...paying(), ...(current.value ? { conversation_id: current.value.id } : {}) };
  const made = await sendJson<{ conversation_id: string; message: Message }>("POST", "/api/images/generate", body);
  notice.value = "";
  if (current.value?.id === made.conversation_id) await openConversation(made.conversation_id);
  else if (current.value?.id === place) showConversation(made.conversation_id);
  else notice.value = "The picture is there, in the conversation where it was asked for."; // nobody is taken away from another one
  await loadConversations();
}

export const usageOf = async <T>(path: string, headers: Readonly<Record<string, string>>): Promise<T> => {
  if (Object.keys(headers).length === 0) return getJson<T>(path);
  return (await fetch(below(`${path}?scope=device`), { headers })).json() as Promise<T>;
};
