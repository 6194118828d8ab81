import { useState } from "preact/hooks";
import { whole } from "../shared/format";
import { sendJson } from "../shared/http";
import { Form, type Asked } from "../shared/parts";
import { DecisionView } from "./decision";
import type { Decision } from "./decision-words";
import { chatOf, NEEDS } from "./dry-run-body";

/** Where a request would go: typed in as a text and what it needs, or as a whole body. Nobody is called. */
export function DryRun({ alias }: { readonly alias: string }) {
  const [found, setFound] = useState<Decision>();
  const asks = (form: FormData): Asked => {
    const key = String(form.get("key_id") ?? "").trim();
    return ["POST", `/admin/routes/${encodeURIComponent(alias)}/explain${key ? `?${new URLSearchParams({ key_id: key })}` : ""}`, chatOf(form)];
  };
  const send = async (form: FormData): Promise<void> => {
    setFound(undefined);
    setFound(await sendJson<Decision>(...asks(form)));
  };
  return (
    <>
      <p class="quiet">What would become of a request: nobody is called, and nothing is written down.</p>
      <Form label="Try it" send={send} asks={asks}>
        <label>Message <textarea name="text" rows={3} dir="auto" placeholder="Why is the sky blue?" /></label>
        <fieldset class="choices"><legend>It needs</legend>{NEEDS.map(([name, title]) => <label key={name} class="check"><input type="checkbox" name={name} /> {title}</label>)}</fieldset>
        <div class="fields">
          <label>Longest answer, in tokens <input name="max_tokens" inputMode="numeric" autocomplete="off" placeholder={whole(1024)} /></label>
          <label>As the key <input name="key_id" autocomplete="off" maxLength={100} placeholder="one that may use everything" /><small>Its id: what it may not use is passed over.</small></label>
        </div>
        <details><summary>A whole body instead</summary><label>Body of a chat completion, as JSON <textarea name="body" rows={6} dir="auto" placeholder={'{"messages": [{"role": "user", "content": "…"}]}'} /></label></details>
      </Form>
      <div role="status" class="trial">{found && <><h3>It would go so</h3><DecisionView of={found} /></>}</div>
    </>
  );
}
