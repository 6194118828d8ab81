import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { address, setParams } from "../shared/address";
import { below, gatewayAddress } from "../shared/base-path";
import { useDraft } from "../shared/draft";
import { serverEvents } from "../shared/events";
import { ApiError, apiError, sendJson } from "../shared/http";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, mark } from "../shared/parts";
import { useGet } from "../shared/query";
import { Shown } from "../shared/secret";
import { session } from "../shared/session";
import { APIS, addedBy, apiOf, bodyOf, commandOf, pathOf, textOf, type Asking } from "./playground-calls";
import { Answer, type Answered } from "./playground-answer";
import type { Route } from "./route-words";
import type { Page, PricedModel } from "./types";

/** The key that calls are made with: in this page's memory, and nowhere else. */
const key = signal("");

const NOTHING: Answered = { state: "none", text: "", requestId: "", decisionId: "", provider: "", model: "", cost: null, firstMs: null, totalMs: null, problem: "" };

/** Calls `/v1` as a client would, with a virtual key, and shows what became of it. */
export default function Playground() {
  const [answered, setAnswered] = useState<Answered>(NOTHING);
  const leave = useRef<AbortController>(undefined);
  const place = useRef<HTMLElement>(null);
  const api = apiOf(address.value.searchParams.get("api"));
  const send = async (asking: Asking): Promise<void> => {
    leave.current?.abort();
    const stop = (leave.current = new AbortController());
    if (isNarrow.value) place.current?.scrollIntoView();
    await ask(asking, stop.signal, (now) => void (leave.current === stop && setAnswered(now))); // never of a call before this one
  };
  useEffect(() => () => leave.current?.abort(), []); // what nobody will read is not paid for
  return (
    <>
      <div class="head"><h1>Playground</h1></div>
      <p class="quiet">Calls <code>{pathOf(api)}</code> as a client would, and is billed as one. The key stays in this page's memory: a reload forgets it.</p>
      <div class="two even">
        <section class="card" aria-label="Request"><Request api={api} busy={answered.state === "running"} send={send} stop={() => leave.current?.abort()} /></section>
        <section class="card" aria-label="Answer" ref={place}><Answer of={answered} /></section>
      </div>
    </>
  );
}

/** One call, told of as it comes: at most one paint a frame. */
async function ask(asking: Asking, stop: AbortSignal, tell: (answered: Answered) => void): Promise<void> {
  const start = performance.now();
  const took = (): number => performance.now() - start;
  let now: Answered = { ...NOTHING, state: "running" };
  let frame = 0;
  const paint = (change: Partial<Answered>): void => {
    now = { ...now, ...change };
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      tell(now);
    });
  };
  paint({});
  try {
    const authorization: Record<string, string> = key.value ? { authorization: `Bearer ${key.value}` } : {};
    const answer = await fetch(below(pathOf(asking.api)), { method: "POST", headers: { "content-type": "application/json", ...authorization }, body: JSON.stringify(bodyOf(asking)), credentials: "omit", signal: stop });
    const head = (name: string): string => answer.headers.get(name) ?? "";
    paint({ requestId: head("x-request-id"), decisionId: head("x-omg-decision"), provider: head("x-omg-provider"), model: head("x-omg-model"), cost: head("x-omg-cost-usd") || null });
    if (!answer.ok) throw await apiError(answer);
    if (asking.stream && asking.api !== "embeddings") {
      for await (const event of serverEvents(answer)) {
        const text = addedBy(asking.api, event);
        if (text) paint({ text: now.text + text, firstMs: now.firstMs ?? took() });
      }
    } else paint({ text: textOf(asking.api, await answer.json()) });
    paint({ state: "done", totalMs: took() });
  } catch (error) {
    const problem = error instanceof ApiError ? `${error.status} ${error.code}: ${error.message}` : (error as Error).message;
    paint(stop.aborted ? { state: "stopped", totalMs: took() } : { state: "failed", totalMs: took(), problem });
  }
}

interface Asks {
  readonly api: Asking["api"];
  readonly busy: boolean;
  readonly send: (asking: Asking) => Promise<void>;
  readonly stop: () => void;
}

function Request({ api, busy, send, stop }: Asks) {
  const box = useRef<HTMLFormElement>(null);
  useDraft(box, "playground");
  const params = address.value.searchParams;
  const chats = api !== "embeddings";
  const asking = (): Asking => {
    const form = new FormData(box.current!);
    const text = (name: string): string => String(form.get(name) ?? "");
    const number = (name: string): number | null => (text(name).trim() === "" || Number.isNaN(Number(text(name))) ? null : Number(text(name)));
    return { api, model: params.get("model") ?? "auto", system: text("system"), text: text("text") || "Say hello.", most: number("most"), temperature: number("temperature"), stream: params.get("stream") !== "0" };
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void send(asking()).catch((problem: unknown) => mark(box.current!, problem));
  };
  return (
    <form class="form" ref={box} onSubmit={submit}>
      <div class="segments" role="group" aria-label="API">{APIS.map(([name, title]) => <button key={name} type="button" aria-pressed={name === api} onClick={() => setParams({ api: name === "chat" ? null : name })}>{title}</button>)}</div>
      <KeyField />
      <label>Model <ModelChoice value={params.get("model") ?? ""} /></label>
      {chats && <label>System prompt <textarea name="system" rows={2} dir="auto" /></label>}
      <label>{chats ? "Message" : "Text"} <textarea name="text" rows={4} dir="auto" placeholder="Say hello." /></label>
      {chats && (
        <div class="fields">
          <label>Longest answer, in tokens <input name="most" inputMode="numeric" autocomplete="off" placeholder={api === "messages" ? "1024" : "the model's own"} /></label>
          <label>Temperature <input name="temperature" inputMode="decimal" autocomplete="off" placeholder="the model's own" /></label>
        </div>
      )}
      {chats && <label class="check"><input type="checkbox" checked={params.get("stream") !== "0"} onInput={(event) => setParams({ stream: event.currentTarget.checked ? null : "0" })} /> Stream the answer</label>}
      <p class="buttons">
        <button class="btn primary" disabled={busy}>Send</button>
        <button type="button" class="btn" disabled={!busy} onClick={stop}>Stop</button>
        <CopyCurl command={() => commandOf(gatewayAddress(), asking())} />
      </p>
    </form>
  );
}

/** A key that is typed, or made here for an hour. It has no name, so that no draft keeps it. */
function KeyField() {
  const [made, setMade] = useState("");
  const [problem, setProblem] = useState("");
  const open = session.value?.auth === "open";
  const make = async (): Promise<void> => {
    const body = { name: "playground", expires_at: new Date(Date.now() + 3_600_000).toISOString() };
    const { secret } = await sendJson<{ secret: string }>("POST", "/admin/keys", body);
    key.value = secret;
    setMade(secret);
    setProblem("");
  };
  return (
    <>
      <label>Virtual key <input type="password" autocomplete="off" placeholder={open ? "none is needed here" : "sk-omg-…"} value={key.value} onInput={(event) => { key.value = event.currentTarget.value.trim(); }} /></label>
      <p class="buttons">
        <button type="button" class="btn" onClick={() => void make().catch((error: Error) => setProblem(error.message))}>Make one for an hour</button>
        {key.value && <button type="button" class="btn" onClick={() => { key.value = ""; }}>Forget it</button>}
        {problem && <span class="fault" role="alert">{problem}</span>}
      </p>
      {made && <Drawer title="A key for an hour" close={() => setMade("")}><Shown secret={made} /></Drawer>}
    </>
  );
}

/** Any model, alias or `auto`; what there is is offered once one turns to it. */
function ModelChoice({ value }: { readonly value: string }) {
  const [asked, setAsked] = useState(false);
  const routes = useGet<Page<Route>>(asked ? "/admin/routes" : null, { fresh: 60_000 });
  const models = useGet<Page<PricedModel>>(asked ? "/admin/models?limit=200" : null, { fresh: 60_000 });
  const names = ["auto", ...(routes.data?.data ?? []).map((one) => one.alias), ...(models.data?.data ?? []).map((one) => `${one.provider}/${one.model}`)];
  return (
    <>
      <input list="playground.models" aria-label="Model" autocomplete="off" placeholder="auto" maxLength={640} dir="auto" value={value} onFocus={() => setAsked(true)} onInput={(event) => setParams({ model: event.currentTarget.value.trim() || null })} />
      <datalist id="playground.models">{names.map((one) => <option key={one} value={one} />)}</datalist>
    </>
  );
}
