import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useModal } from "../shared/modal";
import { THEMES, setTheme, theme, type Theme } from "../shared/theme";
import { signOut, session } from "../shared/session";
import { COMMANDS } from "./commands";
import { countDevice, deviceId } from "./device";
import { attempt, chooseModel, choosePayer, current, loadModels, model, models, payer, payers, setSystemPrompt, systemPrompt } from "./store";
import { priceOf } from "./money";
import { TemplatesSheet } from "./templates";
import { UsageSheet } from "./usage";
import { sheet, type Sheet } from "./view";

/** The one dialog that is open, if any. Escape and a click beside it close it. */
export function Sheets() {
  const name = sheet.value;
  const views: Readonly<Record<Exclude<Sheet, "">, () => ComponentChildren>> = {
    model: () => <ModelSheet />,
    system: () => <SystemSheet />,
    templates: () => <TemplatesSheet />,
    usage: () => <UsageSheet />,
    export: () => <ExportSheet />,
    settings: () => <SettingsSheet />,
    help: () => <HelpSheet />,
  };
  return name === "" ? null : views[name]();
}

export function Dialog({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const { dialog, leave } = useModal(() => { sheet.value = ""; });
  const beside = (event: MouseEvent): void => {
    if (event.target === event.currentTarget) leave();
  };
  return (
    <dialog class="sheet" {...dialog} aria-labelledby="sheet-title" onClick={beside}>
      <header>
        <h2 id="sheet-title">{title}</h2>
        <button type="button" aria-label="Close" onClick={leave}>×</button>
      </header>
      <div class="sheet-body" tabIndex={0}>{children}</div>
    </dialog>
  );
}

function ModelSheet() {
  const [wanted, setWanted] = useState("");
  const found = models.value.filter((one) => one.id.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Dialog title="Model">
      {payers.value.length > 1 && (
        <label class="payer">On the account of{" "}
          <select value={payer.value} onChange={(event) => { choosePayer(event.currentTarget.value); attempt(loadModels()); }}>
            {payers.value.map((one) => <option key={one.id} value={one.kind === "personal" ? "" : one.id}>{one.kind === "personal" ? "yourself" : one.name}</option>)}
          </select>
        </label>
      )}
      <input type="search" aria-label="Filter models" placeholder={`filter ${models.value.length} models`} value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} autofocus />
      <ul class="choices">
        {found.slice(0, 200).map((one) => (
          <li key={one.id}>
            <button type="button" aria-pressed={one.id === model.value} onClick={() => { chooseModel(one.id); sheet.value = ""; }}>
              <b>{one.id}</b>
              <span>{[one.provider, priceOf(one), one.context_window ? `${Math.round(one.context_window / 1000)}k tokens` : ""].filter(Boolean).join(" · ")}</span>
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="quiet">No model is called so.</p>}
      <p class="quiet">Prices are USD for a million tokens.</p>
    </Dialog>
  );
}

function SystemSheet() {
  const [text, setText] = useState(systemPrompt.value);
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    attempt(setSystemPrompt(text));
    sheet.value = "";
  };
  return (
    <Dialog title="System prompt">
      <form onSubmit={save}>
        <label>
          What the model is told before every message of this conversation
          <textarea rows={8} dir="auto" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <p class="buttons"><button class="primary">Save</button></p>
      </form>
    </Dialog>
  );
}

function ExportSheet() {
  const id = current.value?.id;
  if (id === undefined) return <Dialog title="Take away"><p class="quiet">There is nothing to take away yet.</p></Dialog>;
  const print = (): void => {
    sheet.value = "";
    setTimeout(() => window.print(), 50);
  };
  return (
    <Dialog title="Take away">
      <ul class="choices">
        <li><a href={`/api/conversations/${id}/export?format=markdown`} download><b>Markdown</b><span>as it was written</span></a></li>
        <li><a href={`/api/conversations/${id}/export?format=json`} download><b>JSON</b><span>every field, with tokens and cost</span></a></li>
        <li><button type="button" onClick={print}><b>PDF</b><span>by the browser's print dialog, right in every script</span></button></li>
      </ul>
    </Dialog>
  );
}

function SettingsSheet() {
  return (
    <Dialog title="Settings">
      <fieldset class="themes">
        <legend>Theme</legend>
        {THEMES.map((one) => (
          <label key={one}><input type="radio" name="theme" checked={theme.value === one} onChange={() => setTheme(one as Theme)} /> {one}</label>
        ))}
      </fieldset>
      <label class="check">
        <input type="checkbox" checked={deviceId.value !== ""} onChange={(event) => countDevice(event.currentTarget.checked)} />
        <span>Count this device apart. A random id is kept in this browser and sent with each message.</span>
      </label>
      {session.value?.auth === "keys" && (
        <p class="buttons">
          <span class="quiet">Signed in as {session.value.user.email ?? session.value.user.name}</span>
          <button type="button" onClick={() => attempt(signOut())}>Sign out</button>
        </p>
      )}
    </Dialog>
  );
}

const KEYS: readonly (readonly [string, string])[] = [
  ["Enter", "send"], ["Shift+Enter", "a new line"], ["Esc", "stop the answer"], ["Ctrl+K", "search conversations"], ["/", "commands"],
]; // prettier-ignore

function HelpSheet() {
  return (
    <Dialog title="Commands and keys">
      <dl class="pairs">
        {COMMANDS.map((one) => [<dt key={one.name}><code>/{one.name} {one.takes}</code></dt>, <dd key={`${one.name}-does`}>{one.does}</dd>])}
        {KEYS.map(([key, does]) => [<dt key={key}><kbd>{key}</kbd></dt>, <dd key={`${key}-does`}>{does}</dd>])}
      </dl>
    </Dialog>
  );
}
