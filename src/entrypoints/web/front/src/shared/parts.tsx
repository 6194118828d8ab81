import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { bare, gatewayAddress } from "./base-path";
import { useDraft } from "./draft";
import { ApiError } from "./http";
import { useModal } from "./modal";

/** A modal at the side of the page (on a phone, all of it). Escape closes it. */
export function Drawer({ title, close, wide = false, children }: { readonly title: string; readonly wide?: boolean; readonly close: () => void; readonly children: ComponentChildren }) {
  const { dialog, leave } = useModal(close);
  return (
    <dialog class={wide ? "drawer broad" : "drawer"} {...dialog} aria-labelledby="drawer-title">
      <header class="head">
        <h2 id="drawer-title" dir="auto">{title}</h2>
        <span class="push" />
        <button type="button" class="btn" onClick={leave}>Close</button>
      </header>
      <div class="drawer-body" tabIndex={0}>{children}</div>
    </dialog>
  );
}

/** Why something is not shown: what happened, the request's id, and a way to ask again. */
export function Problem({ of }: { readonly of: { readonly error?: Error | undefined; readonly reload: () => void } }) {
  if (!of.error) return null;
  const id = of.error instanceof ApiError ? of.error.requestId : "";
  return (
    <p class="fault" role="alert">
      {of.error.message} {id && <code>{id}</code>} <button type="button" class="btn" onClick={of.reload}>Retry</button>
    </p>
  );
}

const TONES: Readonly<Record<string, string>> = {
  ok: "good", degraded: "warn", available: "good", active: "good", rate_limited: "warn", exhausted: "warn", no_key: "warn", disabled: "warn",
  client_cancelled: "warn", interrupted: "warn", expired: "warn", suspended: "warn", invited: "warn",
}; // prettier-ignore

/** A state as shape and word: a dot is good, a triangle warns, a square has failed. */
export const Tag = ({ state, children }: { readonly state: string; readonly children?: ComponentChildren }) => (
  <span class={`tag ${TONES[state] ?? "bad"}`}>{children ?? state.replaceAll("_", " ")}</span>
);

interface FormProps {
  readonly send: (form: FormData) => Promise<void>;
  readonly label: string;
  /** What the form asks of the admin API, where a command may say the same: never with a secret. */
  readonly asks?: (form: FormData) => Asked;
  readonly children: ComponentChildren;
}

/** A form that sends once, and says what was wrong with what. What was typed survives a reload until it is sent. */
export function Form({ send, label, asks, children }: FormProps) {
  const [error, setError] = useState<ApiError | Error | null>(null);
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLFormElement>(null);
  const forget = useDraft(box, label);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setError(null);
    try {
      await send(new FormData(form));
      forget();
      for (const secret of form.querySelectorAll<HTMLInputElement>("input[type=password]")) secret.value = "";
    } catch (problem) {
      setError(problem as Error);
      mark(form, problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="form" ref={box} onSubmit={(event) => void submit(event)}>
      {children}
      {error && <p class="fault" role="alert">{error.message}</p>}
      <p class="buttons"><button class="btn primary" disabled={busy}>{label}</button>{asks && <CopyCurl command={() => curlOf(asks(new FormData(box.current!)))} />}</p>
    </form>
  );
}

/** The field that an error is about is marked and has the focus. */
export function mark(form: HTMLFormElement, problem: unknown): void {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const param = problem instanceof ApiError ? problem.param : undefined;
  const names = param ? [param, ...param.split(/[.[]/)] : [];
  const field = names.map((name) => form.elements.namedItem(name)).find((found) => found !== null) ?? null;
  if (!(field instanceof HTMLElement)) return;
  field.setAttribute("aria-invalid", "true");
  field.closest("details")?.setAttribute("open", "");
  field.focus();
}

/** A button that asks once more, naming what it ends, before it does it. */
export function Confirmed({ label, question, run }: { readonly label: string; readonly question: string; readonly run: () => Promise<void> }) {
  const [asked, setAsked] = useState<boolean>();
  const [error, setError] = useState("");
  const next = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (asked !== undefined && document.activeElement === document.body) next.current?.focus(); // the button that had it is gone
  }, [asked]);
  if (!asked) return <button key="first" ref={next} type="button" class="btn danger" onClick={() => setAsked(true)}>{label}</button>;
  const go = (): void => void run().then(() => setAsked(false), (problem: Error) => setError(problem.message));
  return (
    <span class="confirm" role="group" aria-label={question}>
      <span>{question}</span>
      <button ref={next} type="button" class="btn" onClick={() => setAsked(false)}>Keep</button>
      <button type="button" class="btn danger" onClick={go}>{label}</button>
      {error && <span class="fault" role="alert">{error}</span>}
    </span>
  );
}

/** A command that does, at the command line, what is on the screen. */
export function CopyCurl({ command }: { readonly command: string | (() => string) }) {
  const [done, setDone] = useState(false);
  const text = (): string => (typeof command === "string" ? command : command());
  const copy = (): void => void navigator.clipboard.writeText(text()).then(() => setDone(true));
  return <button type="button" class="btn" {...(typeof command === "string" ? { title: command } : {})} onClick={copy}>{done ? "Copied" : "Copy as curl"}</button>;
}

/** Who asks: in the console whoever has an admin token, elsewhere the person of the session, by its cookie. */
const byPerson = (): boolean => !bare(location.pathname).startsWith("/app/admin");

export const curl = (path: string): string => `curl "${gatewayAddress()}${path}" ${byPerson() ? `-H "Cookie: $OMG_SESSION"` : `-H "Authorization: Bearer $OMG_ADMIN_TOKEN"`}`;

/** A request that changes something: its method, its path, and its body. */
export type Asked = readonly [string, string, unknown];

/** A shell's word, whatever stands in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const curlOf = ([method, path, body]: Asked): string => `${curl(path)}${byPerson() ? ` -H "x-omg-csrf: $OMG_CSRF"` : ""} -X ${method} -H "Content-Type: application/json" -d ${quoted(JSON.stringify(body))}`;

export const Empty = ({ children }: { readonly children: ComponentChildren }) => <p class="empty">{children}</p>;
