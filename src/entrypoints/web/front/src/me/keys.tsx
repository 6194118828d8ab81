import { useState } from "preact/hooks";
import { ChangeForm } from "../shared/change-form";
import { LIST } from "../shared/changes";
import { ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { Confirmed, CopyCurl, Form, Tag, curl, type Asked } from "../shared/parts";
import { Shown } from "../shared/secret";
import { SecretsPage } from "../shared/secrets-page";
import { rulesInWords } from "../shared/rules";
import { session } from "../shared/session";
import type { OwnKey } from "./own";
import { KEY_FIELDS, KeysLeft } from "./tenant-keys";

const DAY = 86_400_000;
const LIVES = [["never", 0], ["in 30 days", 30], ["in 90 days", 90], ["in a year", 365]] as const;
const OVERLAPS = [["at once", 0], ["in an hour", 3_600], ["in a day", 86_400]] as const;

/** One's own keys: made, renamed, rotated and revoked. A secret is shown once. */
export default function Keys() {
  return (
    <SecretsPage<OwnKey>
      title="Keys"
      path="/me/keys"
      what="key"
      intro="A key lets a program use the gateway as you: with your rights, within your limits, on your account."
      none="You have no key yet. Make one for each program that asks models."
      about={(one) => `${one.allowed_models ? one.allowed_models.join(", ") : "all your models"} · ${one.last_used_at ? `used ${ago(one.last_used_at)}` : `made ${ago(one.created_at)}`}`}
      create={(made) => <NewKey made={made} />}
      details={(one, changed) => <Details key={one.id} shown={one} changed={changed} />}
    />
  );
}

function NewKey({ made }: { readonly made: () => void }) {
  const [secret, setSecret] = useState("");
  if (secret) return <Shown secret={secret} />;
  const tenants = (session.value?.tenants ?? []).filter((one) => one.role !== "viewer");
  const asks = (form: FormData): Asked => {
    const text = (name: string): string => String(form.get(name) ?? "");
    const models = LIST.read(text("allowed_models"));
    const days = Number(text("lives"));
    return ["POST", "/me/keys", {
      name: text("name"),
      ...(text("tenant_id") ? { tenant_id: text("tenant_id") } : {}),
      ...(models ? { allowed_models: models } : {}),
      ...(days ? { expires_at: new Date(Date.now() + days * DAY).toISOString() } : {}),
    }];
  };
  const send = async (form: FormData): Promise<void> => {
    const answer = await sendJson<{ secret: string }>(...asks(form));
    setSecret(answer.secret);
    made();
  };
  return (
    <Form label="Make key" send={send} asks={asks}>
      <label>Name <input name="name" required maxLength={200} autocomplete="off" dir="auto" /><small>What will use it.</small></label>
      {tenants.length > 1 && <label>On the account of <select name="tenant_id">{tenants.map((one) => <option key={one.id} value={one.id}>{one.kind === "personal" ? "yourself" : one.name}</option>)}</select></label>}
      <label>Models <input name="allowed_models" autocomplete="off" placeholder="all you may use" /><small>Names or patterns, with spaces between: <code>openai/* !openai/*-pro</code></small></label>
      <label>Ends <select name="lives">{LIVES.map(([text, days]) => <option key={days} value={days}>{text}</option>)}</select></label>
    </Form>
  );
}

function Details({ shown, changed }: { readonly shown: OwnKey; readonly changed: () => void }) {
  const [secret, setSecret] = useState("");
  if (secret) return <Shown secret={secret} />;
  const path = `/me/keys/${shown.id}`;
  const rotate = async (form: FormData): Promise<void> => {
    const answer = await sendJson<{ secret: string }>("POST", `${path}/rotate`, { overlap_seconds: Number(form.get("overlap")) });
    setSecret(answer.secret);
    changed();
  };
  const revoke = async (): Promise<void> => {
    await sendJson("POST", `${path}/revoke`);
    changed();
  };
  const tenant = session.value?.tenants.find((one) => one.id === shown.tenant_id);
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{shown.id}</code></dd>
        <dt>State</dt><dd><Tag state={shown.status} /></dd>
        <dt>Ends with</dt><dd><code>{shown.last4}</code>{shown.previous_until && `; the secret before it works until ${moment(shown.previous_until)}`}</dd>
        <dt>On the account of</dt><dd dir="auto">{tenant ? (tenant.kind === "personal" ? "yourself" : tenant.name) : shown.tenant_id}</dd>
        <dt>Limits</dt><dd>{rulesInWords(shown.limits, shown.budgets)}</dd>
        <dt>Made</dt><dd>{moment(shown.created_at)}</dd>
        <dt>Last used</dt><dd>{shown.last_used_at ? ago(shown.last_used_at) : "never"}</dd>
        <dt>Ends</dt><dd>{shown.expires_at ? moment(shown.expires_at) : "never"}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/me/requests?key_id=${shown.id}`}>Its requests</a>
        <CopyCurl command={curl(path)} />
        {shown.status === "active" && <Confirmed label="Revoke key" question={`Revokes “${shown.name || shown.id}”${shown.last_used_at ? `, used ${ago(shown.last_used_at)}` : ""}, for good.`} run={revoke} />}
      </p>
      {shown.status === "active" && (
        <>
          <h3>What is left</h3>
          <KeysLeft path={`/me/limits?key_id=${shown.id}`} />
          <h3>Change</h3>
          <ChangeForm path={path} fields={KEY_FIELDS} done={changed} />
        </>
      )}
      {shown.status === "active" && (
        <>
          <h3>New secret</h3>
          <Form label="Rotate key" send={rotate}>
            <label>The old one ends <select name="overlap">{OVERLAPS.map(([text, value]) => <option key={value} value={value}>{text}</option>)}</select></label>
          </Form>
        </>
      )}
    </>
  );
}
