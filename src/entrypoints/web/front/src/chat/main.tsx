import "../shared/tokens.css";
import "./chat.css";
import { render } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { followLinks } from "../shared/address";
import { below } from "../shared/base-path";
import { gateway, lookForGateway } from "../shared/gateway";
import { loadSession, session } from "../shared/session";
import { loading } from "../shared/settled";
import { SignIn } from "../shared/signin";
import { startTheme } from "../shared/theme";
import { Composer } from "./composer";
import { Sheets } from "./dialogs";
import { MessageView } from "./message";
import { totalOf } from "./money";
import { Sidebar } from "./sidebar";
import { attempt, choosePayer, clone, conversationInAddress, conversationShown, current, draft, line, loadConversations, loadModels, messages, model, notice, openConversation, searched, systemPrompt } from "./store";
import { running, send } from "./turns";
import { sheet, sidebar } from "./view";

startTheme("amber");
followLinks((path) => path === "/app" || path.startsWith("/app/c/"));
void lookForGateway();
const WORKER = below("/app/worker.js");
registerWorker();

function Chat() {
  const id = conversationInAddress();
  const signedIn = session.value !== null && session.value !== undefined;
  useEffect(() => attempt(loadSession()), []);
  useEffect(() => {
    if (!signedIn) return;
    choosePayer();
    attempt(Promise.all([loadModels(), loadConversations()]));
  }, [signedIn]);
  useEffect(() => {
    if (signedIn && id !== (current.value?.id ?? null)) attempt(openConversation(id));
  }, [id, signedIn]);
  useEffect(() => {
    document.title = current.value?.title ? `${current.value.title} – chat` : "Chat – Open Model Gateway";
  }, [current.value?.title]);
  useLayoutEffect(shortcuts, []);
  return (
    <div class={sidebar.value ? "term aside" : "term"}>
      <Bar />
      {sidebar.value && <Sidebar />}
      <Log />
      <Composer />
      <Sheets />
      <SignIn />
    </div>
  );
}

function Bar() {
  const total = totalOf(messages.value);
  return (
    <header class="bar">
      <button type="button" aria-label="Conversations" aria-expanded={sidebar.value} onClick={() => { sidebar.value = !sidebar.value; }}>≡</button>
      <h1>omg<span aria-hidden="true">&gt;</span></h1>
      <button type="button" class="pick" aria-label={`Model: ${model.value}`} onClick={() => { sheet.value = "model"; }}>{model.value} <span aria-hidden="true">▾</span></button>
      <span class="push" />
      {messages.value.length > 0 && <button type="button" class="total" title="Cost of this conversation" onClick={() => { sheet.value = "usage"; }}>{total.unpriced && total.cost === "$0" ? "unpriced" : total.cost}</button>}
      <button type="button" class="wide-only" onClick={() => { sheet.value = "system"; }}>{systemPrompt.value ? "system ✓" : "system"}</button>
      {current.value && <button type="button" class="wide-only" onClick={() => attempt(clone())}>clone</button>}
      {current.value && <button type="button" class="wide-only" onClick={() => { sheet.value = "export"; }}>export</button>}
      <button type="button" aria-label="Settings" onClick={() => { sheet.value = "settings"; }}>⚙</button>
      <button type="button" aria-label="Commands and keys" onClick={() => { sheet.value = "help"; }}>?</button>
    </header>
  );
}

const STARTERS = ["Explain this error: ECONNRESET", "Write a haiku about failover", "What can you do in one paragraph?"];

function Log() {
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const shown = line.value;
  const last = shown.at(-1);
  useEffect(() => {
    const log = box.current!;
    const look = (): void => {
      atEnd.current = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
    };
    log.addEventListener("scroll", look, { passive: true });
    return () => log.removeEventListener("scroll", look);
  }, []);
  useEffect(() => {
    atEnd.current = true;
  }, [current.value?.id]);
  useEffect(() => {
    if (atEnd.current) box.current!.scrollTop = box.current!.scrollHeight;
  }, [messages.value]);
  return (
    <main class="log" id="log" ref={box} tabIndex={-1} aria-busy={!conversationShown.value || (session.value === undefined && gateway.value !== "away") || loading.value}>
      <h2 class={current.value?.title ? "title" : "sr"} dir="auto">{current.value?.title || "New conversation"}</h2>
      {systemPrompt.value && shown.length > 0 && <p class="system" dir="auto"><span>system:</span> {systemPrompt.value}</p>}
      {shown.length === 0 && <Welcome />}
      {shown.map((one, i) => <MessageView key={one.role === "user" ? `u${i}` : `a${i}`} message={one} />)}
      <p class="sr" role="status">{last?.role !== "assistant" ? "" : last.status === "streaming" ? "Answering" : "Answer complete"}</p>
      <p class="notice" role="status">{gateway.value === "away" ? "The gateway is out of reach. What is on the screen stays." : notice.value}</p>
    </main>
  );
}

function Welcome() {
  return (
    <div class="welcome">
      <pre aria-hidden="true">{"┌─ open model gateway ───────────┐\n│  ready.                        │\n└────────────────────────────────┘"}</pre>
      {session.value?.open_on_network && <p class="fault">Anyone on this network can use this gateway and read these conversations.</p>}
      <p>Type a message, or <kbd>/</kbd> for commands. Or begin with one of these:</p>
      {STARTERS.map((one) => <button key={one} type="button" disabled={running.value !== null} onClick={() => attempt(send(one))}>{one}</button>)}
    </div>
  );
}

function shortcuts(): () => void {
  const keys = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      sidebar.value = true;
      queueMicrotask(() => document.getElementById("find")?.focus()); // it is drawn by then, and takes the next key
    } else if (event.key === "/" && document.activeElement === document.body) {
      event.preventDefault();
      draft.value ||= "/"; // never over what was typed
      document.getElementById("ask")?.focus();
    } else if (event.key === "Escape" && document.activeElement?.id === "find" && searched.value) {
      searched.value = "";
      attempt(loadConversations());
    } else if (event.key === "Escape" && !document.querySelector("dialog[open]")) running.value?.abort(); // a dialog's is to close it
  };
  addEventListener("keydown", keys);
  return () => removeEventListener("keydown", keys);
}

/** The worker's address is the only one that the page's one Trusted Types policy lets through. */
function registerWorker(): void {
  const { trustedTypes } = window as unknown as { trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } } };
  const rules = {
    createScriptURL: (url: string) => {
      if (url !== WORKER) throw new TypeError("This is not the worker.");
      return url;
    },
  };
  const url = trustedTypes?.createPolicy("omg", rules).createScriptURL(WORKER) ?? WORKER;
  void navigator.serviceWorker?.register(url, { scope: below("/app") }).catch(() => undefined);
}

render(<Chat />, document.getElementById("root")!);
