import { address, setParams } from "../shared/address";
import { ChangeForm } from "../shared/change-form";
import { LIST, type Field } from "../shared/changes";
import { moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { More, idOf, useList, useOpened } from "../shared/list";
import { Members, rolesGivenBy } from "../shared/members";
import { ChangedThere, ofFile, type Owned } from "../shared/owner";
import { CopyCurl, Drawer, Empty, Form, Problem, Tag, curl, type Asked } from "../shared/parts";
import { rulesInWords, type Budget, type Limits } from "../shared/rules";
import { session } from "../shared/session";
import { BUDGETS, limitsOf } from "../shared/rule-fields";
import { useStay } from "../shared/stay";

interface Tenant extends Owned {
  readonly id: string;
  readonly name: string;
  readonly kind: "shared" | "personal";
  readonly status: string;
  readonly allowed_models: readonly string[] | null;
  readonly limits: Limits;
  readonly budgets: readonly Budget[];
  readonly created_at: string;
}

const PATH = "/admin/tenants?limit=200";

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "status", label: "State", kind: ["active", "suspended"], hint: "The keys of a suspended tenant are refused." },
  { name: "allowed_models", label: "Models", hint: "Names, patterns or groups, with spaces between: openai/* !openai/*-pro @fast. Empty allows all.", ...LIST },
  { name: "allowed_providers", label: "Providers", hint: "Empty allows all.", ...LIST },
  { name: "cidrs", label: "Networks", hint: "From where its keys may be used: 10.0.0.0/8. Empty allows all.", ...LIST },
  { name: "tags", label: "Tags", hint: "Put on each of its requests.", write: LIST.write, read: (text) => LIST.read(text) ?? [] },
  { name: "budgets", label: "Budgets", hint: "One a line: 25.00 month Europe/Berlin", ...BUDGETS },
  ...limitsOf("limits", "All together"),
];

/** Whose keys and spend belong together: members, what they may use, and how much of it. */
export default function Tenants() {
  const list = useList<Tenant>(PATH, idOf);
  const params = address.value.searchParams;
  const [open, words] = [params.get("open"), params.get("q") ?? ""];
  const close = (): void => setParams({ open: null });
  const all = list.data ?? [];
  const shown = all.filter((one) => `${one.name} ${one.id}`.toLowerCase().includes(words.toLowerCase()));
  const chosen = useOpened(list, open, idOf, (id) => `/admin/tenants/${encodeURIComponent(id)}`);
  return (
    <>
      <div class="head">
        <h1>Tenants</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        <button type="button" class="btn primary" onClick={() => setParams({ open: "new" })}>Make a tenant</button>
      </div>
      <p class="quiet">What people may use on their own is set once for all personal tenants, in the <a href="/app/admin/settings">settings</a>.</p>
      <div class="chips inline"><input aria-label="Find a tenant" placeholder="find" value={words} onInput={(event) => setParams({ q: event.currentTarget.value || null })} /></div>
      <Problem of={list} />
      {list.data && shown.length === 0 && <Empty>{words ? "No tenant has these words in its name." : "There is no tenant. Make one for each team or project whose spend belongs together."}</Empty>}
      <ul class="rows">
        {shown.map((one) => (
          <li key={one.id}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: one.id })}>
              <b dir="auto">{one.name}</b>
              <Tag state={one.status} />
              <span class="quiet">{one.kind} · {one.allowed_models ? one.allowed_models.join(", ") : "all models"} · limits: {rulesInWords(one.limits, one.budgets)}</span>
            </button>
          </li>
        ))}
      </ul>
      <More of={list} />
      {open === "new" && <Drawer title="Make a tenant" close={close}><NewTenant made={list.reload} /></Drawer>}
      {chosen && <Drawer title={chosen.name} close={close}><Details key={chosen.id} tenant={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}

function NewTenant({ made }: { readonly made: () => void }) {
  const stay = useStay();
  const asks = (form: FormData): Asked => {
    const models = LIST.read(String(form.get("allowed_models") ?? ""));
    return ["POST", "/admin/tenants", { name: String(form.get("name")), ...(models ? { allowed_models: models } : {}), budgets: BUDGETS.read(String(form.get("budgets") ?? "")) }];
  };
  const send = async (form: FormData): Promise<void> => {
    const tenant = await sendJson<Tenant>(...asks(form));
    made();
    stay({ open: tenant.id });
  };
  return (
    <Form label="Make tenant" send={send} asks={asks}>
      <label>Name <input name="name" required maxLength={200} autocomplete="off" dir="auto" /></label>
      <label>Models <input name="allowed_models" autocomplete="off" placeholder="all" /><small>Names, patterns or groups, with spaces between. Empty allows all.</small></label>
      <label>Budgets <textarea name="budgets" rows={3} placeholder="25.00 month" /><small>One a line: amount in USD, period (day, week, month), time zone.</small></label>
    </Form>
  );
}

function Details({ tenant, changed }: { readonly tenant: Tenant; readonly changed: () => void }) {
  const stay = useStay();
  const path = `/admin/tenants/${tenant.id}`;
  const writes = session.value?.user.platform_role === "admin";
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{tenant.id}</code></dd>
        <dt>Kind</dt><dd>{tenant.kind === "personal" ? "personal: it came with its user" : "shared"}</dd>
        <dt>Made</dt><dd>{moment(tenant.created_at)}</dd>
        <dt>Limits</dt><dd>{rulesInWords(tenant.limits, tenant.budgets)}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?tenant_id=${tenant.id}`}>Its requests</a>
        <a class="btn" href={`/app/admin/usage?tenant_id=${tenant.id}`}>Its usage</a>
        <a class="btn" href={`/app/admin/audit?object_id=${tenant.id}`}>Its history</a>
        <a class="btn" href={`/app/admin/audit?tenant_id=${tenant.id}`}>All changes in it</a>
        <CopyCurl command={curl(path)} />
      </p>
      <Members tenant={tenant.id} givenBy={writes ? rolesGivenBy("owner") : []}>
        {writes && <h3>Change</h3>}
        {writes && (ofFile(tenant) ? <ChangedThere /> : <ChangeForm path={path} fields={FIELDS} done={changed} />)}
        {writes && !ofFile(tenant) && tenant.kind === "shared" && <Delete tenant={tenant} done={() => { changed(); stay({ open: null }); }} />}
      </Members>
    </>
  );
}

/** A tenant goes with its keys: whoever deletes one writes its name. */
function Delete({ tenant, done }: { readonly tenant: Tenant; readonly done: () => void }) {
  const send = async (form: FormData): Promise<void> => {
    if (String(form.get("sure")) !== tenant.name) throw new Error(`Write ${tenant.name} to delete it.`);
    await sendJson("DELETE", `/admin/tenants/${tenant.id}`);
    done();
  };
  return (
    <section>
      <h3>Delete</h3>
      <Form label="Delete tenant" send={send}>
        <label>Its name <input name="sure" required autocomplete="off" dir="auto" /><small>Its keys end at once. What it used stays in the books.</small></label>
      </Form>
    </section>
  );
}
