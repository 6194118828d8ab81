import { useState } from "preact/hooks";
import { ChangeForm } from "../shared/change-form";
import { LIST, type Field } from "../shared/changes";
import { ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { ChangedThere, ofFile } from "../shared/owner";
import { Confirmed, CopyCurl, Form, Tag, curl, type Asked } from "../shared/parts";
import { Shown } from "../shared/secret";
import { SecretsPage } from "../shared/secrets-page";
import type { VirtualKey } from "./types";

export default function Keys() {
  return (
    <SecretsPage<VirtualKey>
      title="Virtual keys"
      path="/admin/keys"
      what="key"
      none="No client has a key yet. Make one."
      about={(one) => `${one.allowed_models ? one.allowed_models.join(", ") : "all models"} · ${one.last_used_at ? `used ${ago(one.last_used_at)}` : `made ${ago(one.created_at)}`}`}
      create={(made) => <NewKey made={made} />}
      details={(one, changed) => <KeyDetails key={one.id} shown={one} changed={changed} />}
    />
  );
}

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "allowed_models", label: "Models", hint: "Names, patterns or groups, with spaces between. Empty: what the tenant allows.", ...LIST },
  { name: "allowed_providers", label: "Providers", hint: "Empty: what the tenant allows.", ...LIST },
  { name: "tags", label: "Tags", hint: "Put on each of its requests.", write: LIST.write, read: (text) => LIST.read(text) ?? [] },
];

function NewKey({ made }: { readonly made: () => void }) {
  const [secret, setSecret] = useState("");
  if (secret) return <Shown secret={secret} />;
  const asks = (form: FormData): Asked => {
    const models = LIST.read(String(form.get("allowed_models") ?? ""));
    return ["POST", "/admin/keys", { name: String(form.get("name")), ...(models ? { allowed_models: models } : {}) }];
  };
  const send = async (form: FormData): Promise<void> => {
    const answer = await sendJson<{ secret: string }>(...asks(form));
    setSecret(answer.secret);
    made();
  };
  return (
    <Form label="Make key" send={send} asks={asks}>
      <label>Name <input name="name" required maxLength={200} autocomplete="off" /><small>Who or what will use it.</small></label>
      <label>Models <input name="allowed_models" autocomplete="off" placeholder="all" /><small>Empty allows all. Names or patterns, with spaces between: <code>openai/* !openai/*-pro</code></small></label>
    </Form>
  );
}

function KeyDetails({ shown, changed }: { readonly shown: VirtualKey; readonly changed: () => void }) {
  const [secret, setSecret] = useState("");
  if (secret) return <Shown secret={secret} />;
  const path = `/admin/keys/${shown.id}`;
  const rotate = async (): Promise<void> => {
    setSecret((await sendJson<{ secret: string }>("POST", `${path}/rotate`, {})).secret);
    changed();
  };
  const revoke = async (): Promise<void> => {
    await sendJson("POST", `${path}/revoke`);
    changed();
  };
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{shown.id}</code></dd>
        <dt>State</dt><dd><Tag state={shown.status} /></dd>
        <dt>Ends with</dt><dd><code>{shown.last4}</code></dd>
        <dt>Tenant</dt><dd><code>{shown.tenant_id}</code></dd>
        <dt>Made</dt><dd>{moment(shown.created_at)}</dd>
        <dt>Expires</dt><dd>{shown.expires_at ? moment(shown.expires_at) : "never"}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?key_id=${shown.id}`}>Its requests</a>
        <a class="btn" href={`/app/admin/usage?key_id=${shown.id}`}>Its usage</a>
        <a class="btn" href={`/app/admin/audit?object_id=${shown.id}`}>Its history</a>
        <CopyCurl command={curl(path)} />
        {shown.status === "active" && !ofFile(shown) && <Confirmed label="Rotate key" question="The old secret stops working at once." run={rotate} />}
        {shown.status === "active" && <Confirmed label="Revoke key" question={`Revokes “${shown.name || shown.id}”${shown.last_used_at ? `, used ${ago(shown.last_used_at)}` : ""}.`} run={revoke} />}
      </p>
      <h3>Change</h3>
      {ofFile(shown) ? <ChangedThere /> : <ChangeForm path={path} fields={FIELDS} done={changed} />}
    </>
  );
}
