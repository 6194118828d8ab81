import { useState } from "preact/hooks";
import { address, setParams } from "../shared/address";
import { ChangeForm } from "../shared/change-form";
import { type Field } from "../shared/changes";
import { ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { More, idOf, useList, useOpened } from "../shared/list";
import { ChangedThere, ofFile, type Owned } from "../shared/owner";
import { Confirmed, CopyCurl, Drawer, Empty, Form, Problem, Tag, curl, type Asked } from "../shared/parts";
import { rulesInWords, type Budget, type Limits } from "../shared/rules";
import { session } from "../shared/session";
import { BUDGETS, limitsOf } from "../shared/rule-fields";
import { useStay } from "../shared/stay";

interface User extends Owned {
  readonly id: string;
  readonly email: string | null;
  readonly name: string;
  readonly platform_role: string;
  readonly status: "active" | "invited" | "disabled";
  readonly personal_tenant_id: string | null;
  readonly last_seen_at: string | null;
  readonly limits: Limits;
  readonly budgets: readonly Budget[];
  readonly created_at: string;
}

const PATH = "/admin/users?limit=200";
const ROLES = ["none", "auditor", "admin"];

const FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "email", label: "E-mail", read: (text) => text.trim() },
  { name: "platform_role", label: "Platform role", kind: ROLES, hint: "An auditor sees everything but secrets, an admin does everything. A change ends their sessions." },
  { name: "budgets", label: "Budgets", hint: "Of this person in all tenants. One a line: 25.00 month Europe/Berlin", ...BUDGETS },
  ...limitsOf("limits", "This person"),
];

const called = (user: User): string => user.name || user.email || user.id;

/** The people who sign in: invited, given roles, disabled. */
export default function Users() {
  const list = useList<User>(PATH, idOf);
  const params = address.value.searchParams;
  const [open, words] = [params.get("open"), params.get("q") ?? ""];
  const close = (): void => setParams({ open: null });
  const all = list.data ?? [];
  const shown = all.filter((one) => `${one.name} ${one.email ?? ""} ${one.id}`.toLowerCase().includes(words.toLowerCase()));
  const chosen = useOpened(list, open, idOf, (id) => `/admin/users/${encodeURIComponent(id)}`);
  return (
    <>
      <div class="head">
        <h1>Users</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        <button type="button" class="btn primary" onClick={() => setParams({ open: "new" })}>Invite somebody</button>
      </div>
      <div class="chips inline"><input aria-label="Find a user" placeholder="find" value={words} onInput={(event) => setParams({ q: event.currentTarget.value || null })} /></div>
      <Problem of={list} />
      {list.data && shown.length === 0 && <Empty>Nobody has these words in name or address.</Empty>}
      <ul class="rows">
        {shown.map((one) => (
          <li key={one.id}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: one.id })}>
              <b dir="auto">{called(one)}</b>
              <Tag state={one.status} />
              <span class="quiet">{one.name && one.email ? `${one.email} · ` : ""}{one.platform_role === "none" ? "" : `platform ${one.platform_role} · `}{one.last_seen_at ? `seen ${ago(one.last_seen_at)}` : `made ${ago(one.created_at)}`}</span>
            </button>
          </li>
        ))}
      </ul>
      <More of={list} />
      {open === "new" && <Drawer title="Invite somebody" close={close}><NewUser made={list.reload} /></Drawer>}
      {chosen && <Drawer title={called(chosen)} close={close}><Details key={chosen.id} user={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}

function NewUser({ made }: { readonly made: () => void }) {
  const [link, setLink] = useState("");
  if (link) return <Invite link={link} />;
  const asks = (form: FormData): Asked => ["POST", "/admin/users", { email: String(form.get("email")).trim(), name: String(form.get("name")), platform_role: String(form.get("platform_role")) }];
  const send = async (form: FormData): Promise<void> => {
    const answer = await sendJson<{ invite_url: string }>(...asks(form));
    setLink(answer.invite_url);
    made();
  };
  return (
    <Form label="Invite" send={send} asks={asks}>
      <label>E-mail <input name="email" type="email" required autocomplete="off" /></label>
      <label>Name <input name="name" maxLength={200} autocomplete="off" dir="auto" /></label>
      <label>Platform role <select name="platform_role">{ROLES.map((one) => <option key={one}>{one}</option>)}</select><small>“none” is right for whoever only uses models.</small></label>
    </Form>
  );
}

/** The link, this once. The gateway sends no mail: whoever invites passes it on. */
function Invite({ link }: { readonly link: string }) {
  return (
    <>
      <p role="status">Send this to them: it works once, for seven days, and is shown only here. With it they set a password and are signed in.</p>
      <pre class="secret" tabIndex={0}>{link}</pre>
      <p class="buttons"><button type="button" class="btn primary" onClick={() => void navigator.clipboard.writeText(link)}>Copy link</button></p>
    </>
  );
}

function Details({ user, changed }: { readonly user: User; readonly changed: () => void }) {
  const stay = useStay();
  const [link, setLink] = useState("");
  if (link) return <Invite link={link} />;
  const path = `/admin/users/${user.id}`;
  const own = user.id === session.value?.user.id;
  const writes = session.value?.user.platform_role === "admin";
  const invite = async (): Promise<void> => {
    setLink((await sendJson<{ invite_url: string }>("POST", `${path}/invite`)).invite_url);
  };
  const set = async (status: string): Promise<void> => {
    await sendJson("PATCH", path, { status });
    changed();
  };
  const remove = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{user.id}</code></dd>
        <dt>State</dt><dd><Tag state={user.status} /></dd>
        <dt>E-mail</dt><dd>{user.email ?? "none yet"}</dd>
        <dt>Last seen</dt><dd>{user.last_seen_at ? moment(user.last_seen_at) : "never"}</dd>
        <dt>Own tenant</dt><dd>{user.personal_tenant_id ? <a href={`/app/admin/tenants?open=${user.personal_tenant_id}`}><code>{user.personal_tenant_id}</code></a> : "none"}</dd>
        <dt>Limits</dt><dd>{rulesInWords(user.limits, user.budgets)}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?user_id=${user.id}`}>Their requests</a>
        <a class="btn" href={`/app/admin/audit?object_id=${user.id}`}>Their history</a>
        <CopyCurl command={curl(path)} />
        {writes && user.email && user.status !== "disabled" && (user.status === "invited" ? <button type="button" class="btn" onClick={() => void invite()}>Make an invite link</button> : <Confirmed label="Reset password" question={`Makes a link by which ${called(user)} sets a new password; taking it up ends their sessions.`} run={invite} />)}
        {writes && !own && !ofFile(user) && (user.status === "disabled" ? <button type="button" class="btn" onClick={() => void set("active")}>Enable</button> : <Confirmed label="Disable" question={`Ends the sessions and personal keys of ${called(user)} at once.`} run={() => set("disabled")} />)}
        {writes && !own && !ofFile(user) && <Confirmed label="Delete user" question={`Deletes ${called(user)} with their keys and chats. What they used stays in the books.`} run={remove} />}
      </p>
      {writes && <h3>Change</h3>}
      {writes && (ofFile(user) ? <ChangedThere /> : <ChangeForm path={path} fields={FIELDS} done={changed} />)}
    </>
  );
}
