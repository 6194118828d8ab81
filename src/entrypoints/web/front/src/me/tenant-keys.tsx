import { useState } from "preact/hooks";
import { BUDGETS, limitsOf } from "../shared/rule-fields";
import { ChangeForm } from "../shared/change-form";
import { LIST, type Field } from "../shared/changes";
import { ago } from "../shared/format";
import { sendJson } from "../shared/http";
import { Inner } from "../shared/inner";
import { Left } from "../shared/left";
import type { Standings } from "../shared/left-words";
import { More, idOf, useList } from "../shared/list";
import { ofFile } from "../shared/owner";
import { Confirmed, Empty, Form, Problem, Tag, type Asked } from "../shared/parts";
import { useGet } from "../shared/query";
import { rulesInWords } from "../shared/rules";
import { Shown } from "../shared/secret";
import type { OwnKey } from "./own";

/** What can be changed of a key, by its owner and by whoever manages its tenant. */
export const KEY_FIELDS: readonly Field[] = [
  { name: "name", label: "Name", read: (text) => text },
  { name: "allowed_models", label: "Models", hint: "Names or patterns, with spaces between. Empty: all that its account may use.", ...LIST },
  ...limitsOf("limits", "At most"),
  { name: "budgets", label: "Budgets", hint: "One a line: amount in USD, period (day, week, month), time zone. At most what it is under.", ...BUDGETS },
];

/** A tenant's keys, for those who see all of it; made, changed, rotated and revoked by those who manage it. */
export function TenantKeys({ tenant, writes }: { readonly tenant: string; readonly writes: boolean }) {
  const list = useList<OwnKey>("/admin/keys?limit=200", idOf);
  const [secret, setSecret] = useState("");
  const keys = list.data?.filter((one) => one.tenant_id === tenant);
  const asks = (form: FormData): Asked => ["POST", "/admin/keys", { name: String(form.get("name")), tenant_id: tenant }];
  const shown = (answer: { readonly secret: string }): void => {
    setSecret(answer.secret);
    list.reload();
  };
  return (
    <section>
      <h3>Keys</h3>
      <Problem of={list} />
      {keys?.length === 0 && <Empty>None yet.</Empty>}
      <ul class="list">{keys?.map((one) => <OneKey key={one.id} shown={one} writes={writes} changed={list.reload} rotated={shown} />)}</ul>
      <More of={list} />
      {secret && <Shown secret={secret} />}
      {writes && list.data && (
        <>
          <h3>Make a key of the tenant</h3>
          <Form label="Make service key" send={async (form) => shown(await sendJson(...asks(form)))} asks={asks}>
            <label>Its name <input name="name" required maxLength={200} autocomplete="off" dir="auto" /><small>For a service that is nobody's: it stays when people go. Keys of people are made by themselves.</small></label>
          </Form>
        </>
      )}
    </section>
  );
}

interface OneProps {
  readonly shown: OwnKey;
  readonly writes: boolean;
  readonly changed: () => void;
  readonly rotated: (answer: { readonly secret: string }) => void;
}

function OneKey({ shown, writes, changed, rotated }: OneProps) {
  const path = `/admin/keys/${shown.id}`;
  const name = shown.name || shown.id;
  const may = writes && shown.status === "active";
  const rotates = may && !ofFile(shown);
  const rules = rulesInWords(shown.limits, shown.budgets);
  const revoke = async (): Promise<void> => {
    await sendJson("POST", `${path}/revoke`);
    changed();
  };
  return (
    <li>
      <span>
        <b dir="auto">{name}</b> <code>…{shown.last4}</code> <Tag state={shown.status} />{" "}
        <small class="quiet">{shown.owner_id ? "a member's" : "a service's"} · {shown.last_used_at ? `used ${ago(shown.last_used_at)}` : `made ${ago(shown.created_at)}`}{rules === "none" ? "" : ` · ${rules}`}</small>
      </span>
      <span class="buttons">
        <a class="btn" href={`/app/me/requests?tenant_id=${shown.tenant_id}&key_id=${shown.id}`}>Requests</a>
        {may && <Confirmed label="Revoke" question={`Revokes “${name}”.`} run={revoke} />}
      </span>
      {shown.status === "active" && (
        <Inner title={<>Limits and budgets<span class="sr"> of {name}</span></>}>
          {() => (
            <>
              <KeysLeft path={`/admin/limits/explain?key_id=${shown.id}`} />
              {may && <ChangeForm path={path} fields={KEY_FIELDS} done={changed} />}
              {rotates && <p class="buttons"><Confirmed label="Rotate" question="The old secret stops working at once." run={async () => rotated(await sendJson("POST", `${path}/rotate`, {}))} /></p>}
            </>
          )}
        </Inner>
      )}
    </li>
  );
}

/** What requests of a key would meet, and what each has left. */
export function KeysLeft({ path }: { readonly path: string }) {
  const left = useGet<Standings>(path);
  return <><Problem of={left} /><Left found={left.data} /></>;
}
