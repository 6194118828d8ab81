import { useEffect, useRef, useState } from "preact/hooks";
import { address, setParams } from "../shared/address";
import { ChangeForm } from "../shared/change-form";
import type { Field } from "../shared/changes";
import { ahead } from "../shared/format";
import { getJson, sendJson } from "../shared/http";
import { More, idOf, useList, useOpened } from "../shared/list";
import { Confirmed, CopyCurl, Drawer, Empty, Form, Problem, Tag, curl } from "../shared/parts";
import { forget, known, useGet } from "../shared/query";
import { whileLoading } from "../shared/settled";
import { useStay } from "../shared/stay";
import { KeyLine, Quota } from "./provider-keys";
import { quotaWords, tightest } from "./quota-words";
import type { FreeTier, Page, Provider, ProviderKey } from "./types";

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "priority", label: "Priority", kind: "number", hint: "Lower is asked first." },
  { name: "base_url", label: "Address", hint: "Another host takes the stored keys away." },
];

const PATH = "/admin/providers?limit=200";

export default function Providers() {
  const list = useList<Provider>(PATH, idOf, { poll: 5_000 });
  const open = address.value.searchParams.get("open");
  const close = (): void => setParams({ open: null });
  const key = address.value.searchParams.get("key");
  useEffect(() => {
    if (!key || !list.data) return;
    let left = false;
    void whileLoading(providerOf(key, list.data)).then((found) => left || setParams({ key: null, open: found }));
    return () => {
      left = true;
    };
  }, [key, list.data !== undefined]);
  const chosen = useOpened(list, open, idOf, (id) => `/admin/providers/${encodeURIComponent(id)}`);
  return (
    <>
      <div class="head">
        <h1>Providers</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Add a provider</button>
      </div>
      <Problem of={list} />
      {list.data?.length === 0 && <Empty>No provider has a key yet. Add one, or start with <code>--demo</code>.</Empty>}
      <ul class="rows">
        {list.data?.map((one) => (
          <li key={one.id}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: one.id })}>
              <b dir="auto">{one.name}</b>
              <Tag state={one.status} />
              <span class="quiet">{one.kind} · priority {one.priority} · {one.keys} {one.keys === 1 ? "key" : "keys"} · {one.owner}</span>
              {one.reason && <span class="quiet" dir="auto">{one.reason}</span>}
              <LeastLeft of={one} />
            </button>
          </li>
        ))}
      </ul>
      <More of={list} />
      {open === "new" && <Drawer title="Add a provider" close={close}><NewProvider done={list.reload} /></Drawer>}
      {chosen && <Drawer title={chosen.name} close={close}><ProviderDetails provider={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}

/** Of its quotas the one with the least left, and when that will be gone. */
function LeastLeft({ of }: { readonly of: Provider }) {
  const least = tightest(of.quotas ?? []);
  if (!least) return null;
  return <span class="quiet" dir="auto">{quotaWords(least)}{least.forecast_exhausted_at ? `, gone ${ahead(least.forecast_exhausted_at)}` : ""}</span>;
}

/** Whose key it is: asked one by one, since a key's id does not say. */
async function providerOf(key: string, providers: readonly Provider[]): Promise<string | null> {
  for (const { id } of providers) {
    const keys = await getJson<Page<ProviderKey>>(`/admin/providers/${encodeURIComponent(id)}/keys`);
    if (keys.data.some((one) => one.id === key)) return id;
  }
  return null;
}

function NewProvider({ done }: { readonly done: () => void }) {
  const stay = useStay();
  const added = useRef("");
  const send = async (form: FormData): Promise<void> => {
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    const id = text("id");
    if (added.current !== id) await sendJson("POST", "/admin/providers", { id, ...(text("base_url") ? { kind: "openai", base_url: text("base_url") } : {}) });
    added.current = id; // its key may be refused: then only that is sent again
    done();
    if (text("secret")) await sendJson("POST", `/admin/providers/${id}/keys`, { label: "main", secret: text("secret") });
    done();
    stay({ open: id });
  };
  return (
    <Form label="Add provider" send={send}>
      <label>Id <input name="id" required pattern="[a-z0-9][a-z0-9_\-]*" placeholder="groq" autocomplete="off" /><small>A provider known by name (groq, openai, anthropic, gemini …), or a name of your own with an address below.</small></label>
      <label>Key <input name="secret" type="password" autocomplete="off" /><small>Stored encrypted, and never shown again.</small></label>
      <label>Address <input name="base_url" type="url" placeholder="https://…/v1" /><small>Of an OpenAI-compatible service; empty for one known by name.</small></label>
    </Form>
  );
}

function ProviderDetails({ provider, changed }: { readonly provider: Provider; readonly changed: () => void }) {
  const stay = useStay();
  const keys = useGet<Page<ProviderKey>>(`/admin/providers/${provider.id}/keys`);
  const [tested, setTested] = useState("");
  const act = async (method: string, path: string, body?: unknown): Promise<void> => {
    await sendJson(method, path, body);
    forget("/admin/providers");
    keys.reload();
    changed();
  };
  const test = async (): Promise<void> => {
    setTested("…");
    const answer = await sendJson<{ message?: string; detail?: string; ok?: boolean }>("POST", `/admin/providers/${provider.id}/test`).catch((error: Error) => ({ message: error.message, detail: undefined, ok: false }));
    setTested(answer.message ?? answer.detail ?? (answer.ok ? "It answers." : "It does not answer."));
    changed();
  };
  const path = `/admin/providers/${encodeURIComponent(provider.id)}`;
  const say = (work: Promise<void>): void => void work.then(() => setTested("Done."), (error: Error) => setTested(error.message));
  return (
    <>
      <dl class="pairs">
        <dt>State</dt><dd><Tag state={provider.status} /> <span dir="auto">{provider.reason}</span>{provider.available_at ? `, again ${ahead(provider.available_at)}` : ""}</dd>
        <dt>Kind</dt><dd>{provider.kind}</dd>
        <dt>Address</dt><dd><code>{provider.base_url ?? "its own"}</code></dd>
        <dt>Priority</dt><dd>{provider.priority} (lower is asked first)</dd>
        <dt>Declared by</dt><dd>{provider.owner}{provider.read_only ? ", so it is changed there" : ""}</dd>
        {provider.free_tier?.summary && [<dt key="f">Free tier</dt>, <dd key="s" dir="auto">{provider.free_tier.summary}<FreeTierFacts of={provider.free_tier} /></dd>]}
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?provider=${provider.id}`}>Its requests</a>
        <a class="btn" href={`/app/admin/usage?provider=${provider.id}`}>Its usage</a>
        <a class="btn" href={`/app/admin/audit?object_id=${provider.id}`}>Its history</a>
        <CopyCurl command={curl(path)} />
        <button type="button" class="btn" onClick={() => void test()}>Test</button>
        <button type="button" class="btn" onClick={() => say(act("POST", `${path}/retry`))}>Retry now</button>
        {!provider.read_only && <button type="button" class="btn" onClick={() => say(act("PATCH", path, { enabled: !provider.enabled }))}>{provider.enabled ? "Disable" : "Enable"}</button>}
        {!provider.read_only && <Confirmed label="Delete provider" question={`Deletes ${provider.name} with its ${provider.keys} keys.`} run={() => act("DELETE", path).then(() => stay({ open: null }))} />}
      </p>
      {tested && <p role="status" dir="auto">{tested}</p>}
      {!provider.read_only && <details><summary>Change</summary><ChangeForm path={path} fields={FIELDS} done={changed} label="Change provider" /></details>}
      {(provider.quotas?.length ?? 0) > 0 && (
        <>
          <h3>What is left of its quotas, all keys together</h3>
          <ul class="quotas" aria-label="Quotas of all keys">{provider.quotas!.map((one, i) => <Quota key={i} shown={one} />)}</ul>
        </>
      )}
      <h3>Keys</h3>
      <Problem of={keys} />
      <ul class="list">{keys.data?.data.map((one) => <KeyLine key={one.id} shown={one} path={`${path}/keys/${encodeURIComponent(one.id)}`} changed={() => { keys.reload(); changed(); }} act={act} />)}</ul>
      {keys.data?.data.length === 0 && <Empty>It has no key yet.</Empty>}
      {known(keys) && <NewKey send={(form) => act("POST", `${path}/keys`, { label: String(form.get("label")), secret: String(form.get("secret")) })} />}
    </>
  );
}

/** Whether a card is needed, since when that is known, and who says so. */
function FreeTierFacts({ of }: { readonly of: FreeTier }) {
  const facts = [of.card_needed === true ? "a card is needed" : of.card_needed === false ? "no card is needed" : "", of.as_of ? `as of ${of.as_of}` : "", of.outdated ? "not looked at for 90 days" : ""].filter(Boolean);
  return <><br /><small class="quiet" dir="auto">{facts.join(" · ")} {of.source.startsWith("https://") && <a href={of.source} target="_blank" rel="noopener noreferrer">{new URL(of.source).host}</a>}</small></>;
}

const NewKey = ({ send }: { readonly send: (form: FormData) => Promise<void> }) => (
  <>
    <h3>Add a key</h3>
    <Form label="Add key" send={send}>
      <label>Label <input name="label" maxLength={100} /></label>
      <label>Key <input name="secret" type="password" required autocomplete="off" /></label>
    </Form>
  </>
);
