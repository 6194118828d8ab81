import { useEffect, useState } from "preact/hooks";
import { sendJson } from "../shared/http";
import { Dialog } from "./dialogs";
import { attempt, draft, loadTemplates, setSystemPrompt, templates } from "./store";
import { send } from "./turns";
import type { Template } from "./types";
import { sheet } from "./view";

/** One's templates: used, written, changed. */
export function TemplatesSheet() {
  const [chosen, setChosen] = useState<Template | null>(null);
  const [edited, setEdited] = useState<Partial<Template> | null>(null);
  useEffect(() => attempt(loadTemplates()), []);
  if (edited) return <Editor template={edited} leave={() => setEdited(null)} />;
  if (chosen) return <Filling template={chosen} leave={() => setChosen(null)} />;
  return (
    <Dialog title="Templates">
      <ul class="choices">
        {templates.value.map((one) => (
          <li key={one.id} class="with-button">
            <button type="button" onClick={() => setChosen(one)}>
              <b dir="auto">{one.name}</b>
              <span dir="auto">{one.system ? "system prompt · " : ""}{one.content.slice(0, 90)}</span>
            </button>
            <button type="button" onClick={() => setEdited(one)}>edit</button>
          </li>
        ))}
      </ul>
      {templates.value.length === 0 && <p class="quiet">A template is a text with fields such as {"{{topic}}"} that you fill in when you use it.</p>}
      <p class="buttons"><button type="button" class="primary" onClick={() => setEdited({ content: draft.value })}>Write a template</button></p>
    </Dialog>
  );
}

function Filling({ template, leave }: { readonly template: Template; readonly leave: () => void }) {
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const use = (event: SubmitEvent): void => {
    event.preventDefault();
    sheet.value = "";
    if (template.system) attempt(setSystemPrompt(filled(template.content, values)));
    else attempt(send(filled(template.content, values)));
  };
  return (
    <Dialog title={template.name}>
      <form onSubmit={use}>
        {template.fields.map((name) => (
          <label key={name}>
            {name}
            <textarea rows={2} dir="auto" required onInput={(event) => setValues({ ...values, [name]: event.currentTarget.value })} />
          </label>
        ))}
        <pre class="preview" dir="auto" tabIndex={0}>{filled(template.content, values)}</pre>
        <p class="buttons">
          <button type="button" onClick={leave}>Back</button>
          <button class="primary">{template.system ? "Set as system prompt" : "Send"}</button>
        </p>
      </form>
    </Dialog>
  );
}

/** As the gateway does it: known fields are replaced, and nothing else means anything. */
const filled = (content: string, values: Readonly<Record<string, string>>): string =>
  content.replace(/\{\{\s*([a-z_]{1,40})\s*\}\}/g, (field, name: string) => values[name] ?? field);

function Editor({ template, leave }: { readonly template: Partial<Template>; readonly leave: () => void }) {
  const [name, setName] = useState(template.name ?? "");
  const [content, setContent] = useState(template.content ?? "");
  const [system, setSystem] = useState(template.system ?? false);
  const [error, setError] = useState("");
  const done = async (work: Promise<unknown>): Promise<void> => {
    try {
      await work;
      await loadTemplates();
      leave();
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const body = { name, content, system };
    void done(template.id ? sendJson("PATCH", `/api/templates/${template.id}`, body) : sendJson("POST", "/api/templates", body));
  };
  return (
    <Dialog title={template.id ? "Change the template" : "Write a template"}>
      <form onSubmit={save}>
        <label>Name <input value={name} required maxLength={200} dir="auto" onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label>Text, with fields such as {"{{topic}}"}<textarea rows={7} dir="auto" required value={content} onInput={(event) => setContent(event.currentTarget.value)} /></label>
        <label class="check"><input type="checkbox" checked={system} onChange={(event) => setSystem(event.currentTarget.checked)} /><span>It is a system prompt.</span></label>
        {error && <p class="fault" role="alert">{error}</p>}
        <p class="buttons">
          <button type="button" onClick={leave}>Back</button>
          {template.id && <button type="button" class="danger" onClick={() => void done(sendJson("DELETE", `/api/templates/${template.id}`))}>Delete template</button>}
          <button class="primary">Save template</button>
        </p>
      </form>
    </Dialog>
  );
}
