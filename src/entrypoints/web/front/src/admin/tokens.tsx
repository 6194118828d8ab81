import { useState } from "preact/hooks";
import { ChangeForm } from "../shared/change-form";
import { LIST, type Field } from "../shared/changes";
import { ahead, ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { Confirmed, CopyCurl, Form, Tag, curl } from "../shared/parts";
import { SecretsPage } from "../shared/secrets-page";
import { useStay } from "../shared/stay";
import { endOfDay, scopeInWords } from "./token-words";

interface Token {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly scopes: readonly string[];
  readonly last4: string;
  readonly fingerprint: string;
  readonly expires_at: string | null;
  readonly created_at: string;
}

const SCOPES = "all, read, usage, or tenant:<id>, with spaces between: all may do what you may, read sees everything but secrets, usage reads cost alone, tenant:<id> administers that tenant.";

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "scopes", label: "Scopes", hint: SCOPES, write: LIST.write, read: (text) => LIST.read(text) ?? [] },
  { name: "expires_at", label: "Ends", hint: "A moment such as 2027-11-30T00:00:00Z. Empty: never." },
];

/** Tokens of the admin API for automation: what each may do, and until when. A secret is shown once. */
export default function Tokens() {
  return (
    <SecretsPage<Token>
      title="Admin tokens"
      path="/admin/tokens"
      what="token"
      intro={<>For scripts that use the admin API. The token of <code>OMG_ADMIN_TOKEN</code> is not among them.</>}
      none="No token yet. Make one for each script, with no more than it needs."
      about={(one) => `${one.scopes.map(scopeInWords).join(", ")} · ${one.expires_at ? `ends ${ahead(one.expires_at)}` : "never ends"} · made ${ago(one.created_at)}`}
      create={(made) => <NewToken made={made} />}
      details={(one, changed) => <Details key={one.id} token={one} changed={changed} />}
    />
  );
}

function NewToken({ made }: { readonly made: () => void }) {
  const [secret, setSecret] = useState("");
  if (secret) return <Secret of={secret} />;
  const send = async (form: FormData): Promise<void> => {
    const ends = String(form.get("expires_at") ?? "");
    const body = { name: String(form.get("name")).trim(), scopes: LIST.read(String(form.get("scopes"))) ?? [], ...(ends ? { expires_at: endOfDay(ends) } : {}) };
    setSecret((await sendJson<{ readonly secret: string }>("POST", "/admin/tokens", body)).secret);
    made();
  };
  return (
    <Form label="Make token" send={send}>
      <label>Name <input name="name" required maxLength={200} autocomplete="off" dir="auto" placeholder="terraform" /><small>What will use it.</small></label>
      <label>Scopes <input name="scopes" required maxLength={2000} autocomplete="off" placeholder="read" /><small>{SCOPES}</small></label>
      <label>Last day <input name="expires_at" type="date" /><small>In UTC, that day included. Empty: it never ends.</small></label>
    </Form>
  );
}

function Secret({ of }: { readonly of: string }) {
  const snippet = `export OMG_ADMIN_TOKEN=${of}\n${curl("/admin/health")}`;
  return (
    <>
      <p role="status">This is shown once. Only its digest is kept.</p>
      <pre class="secret" tabIndex={0}>{of}</pre>
      <p class="buttons"><button type="button" class="btn primary" onClick={() => void navigator.clipboard.writeText(of)}>Copy token</button></p>
      <h3>Use it</h3>
      <pre class="snippet" tabIndex={0}>{snippet}</pre>
      <p class="buttons"><button type="button" class="btn" onClick={() => void navigator.clipboard.writeText(snippet)}>Copy snippet</button></p>
    </>
  );
}

function Details({ token, changed }: { readonly token: Token; readonly changed: () => void }) {
  const stay = useStay();
  const path = `/admin/tokens/${encodeURIComponent(token.id)}`;
  const end = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{token.id}</code></dd>
        <dt>State</dt><dd><Tag state={token.status} /></dd>
        <dt>May</dt><dd>{token.scopes.map((one) => <div key={one} dir="auto">{scopeInWords(one)} <code>{one}</code></div>)}</dd>
        <dt>Ends with</dt><dd><code>{token.last4}</code>, fingerprint <code>{token.fingerprint}</code></dd>
        <dt>Made</dt><dd>{moment(token.created_at)}</dd>
        <dt>Expires</dt><dd>{token.expires_at ? moment(token.expires_at) : "never"}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams({ actor: token.id })}`}>What it did</a>
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams({ object_kind: "admin_token", object_id: token.id })}`}>Its history</a>
        <CopyCurl command={curl(path)} />
        <Confirmed label="Delete token" question={`Ends ${token.name || token.id} for the next request.`} run={end} />
      </p>
      <h3>Change</h3>
      <ChangeForm path={path} fields={FIELDS} done={changed} label="Change token" />
    </>
  );
}
