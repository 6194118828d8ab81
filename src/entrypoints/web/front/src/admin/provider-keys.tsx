import { useState } from "preact/hooks";
import { ChangeForm } from "../shared/change-form";
import type { Field } from "../shared/changes";
import { ahead } from "../shared/format";
import { Confirmed, Tag } from "../shared/parts";
import { QUOTAS } from "./quota-lines";
import { quotaFacts, quotaWords, shareLeft } from "./quota-words";
import type { ProviderKey, QuotaStanding } from "./types";

const FIELDS: readonly Field[] = [
  { name: "label", label: "Label", read: (text) => text },
  { name: "weight", label: "Weight", kind: "number", hint: "How often it is asked, against the others." },
  { name: "quota", label: "Quotas", hint: "One a line: 1000 requests day, 2.5 usd month, 120 requests 5h pool=plan. Empty: what is known of free accounts. none: a paid account.", ...QUOTAS },
];

interface Props {
  readonly shown: ProviderKey;
  readonly path: string;
  readonly changed: () => void;
  readonly act: (method: string, path: string) => Promise<void>;
}

/** One key of a provider: its state, the models that rest with it, and what is left of its quotas. */
export function KeyLine({ shown, path, changed, act }: Props) {
  const [said, setSaid] = useState("");
  const retry = (): void => void act("POST", `${path}/retry`).then(() => setSaid("It may be asked again."), (error: Error) => setSaid(error.message));
  return (
    <li>
      <span><b dir="auto">{shown.label || "key"}</b> <code>…{shown.last4}</code> <Tag state={shown.status} /> <small dir="auto">{shown.reason}{shown.available_at ? `, again ${ahead(shown.available_at)}` : ""}</small></span>
      <span class="buttons">
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams({ object_kind: "provider_key", object_id: shown.id })}`}>Its history</a>
        <button type="button" class="btn" onClick={retry}>Retry</button>
        {shown.owner === "database" && <Confirmed label="Delete key" question={`Deletes the key …${shown.last4}.`} run={() => act("DELETE", path)} />}
      </span>
      {said && <p role="status" class="quiet" dir="auto">{said}</p>}
      {shown.resting_models.length > 0 && (
        <ul class="quotas" aria-label="Models that rest">
          {shown.resting_models.map((one) => <li key={one.model}><code dir="auto">{one.model}</code> <Tag state={one.status} /> <small class="quiet" dir="auto">{one.reason}{one.available_at ? `, again ${ahead(one.available_at)}` : ""}</small></li>)}
        </ul>
      )}
      {shown.owner === "database" && <details class="quotas"><summary>Change</summary><ChangeForm path={path} fields={FIELDS} done={changed} label={`Change key ${shown.last4}`} /></details>}
      {shown.quotas.length > 0 && <ul class="quotas" aria-label="Quotas">{shown.quotas.map((one, i) => <Quota key={i} shown={one} />)}</ul>}
    </li>
  );
}

export function Quota({ shown }: { readonly shown: QuotaStanding }) {
  const left = shareLeft(shown);
  return (
    <li>
      <span dir="auto">{quotaWords(shown)}</span>
      {left !== null && <span class="meter"><i class={left < 0.1 ? "low" : ""} style={{ width: `${left * 100}%` }} /></span>}
      <small class="quiet" dir="auto">{quotaFacts(shown)}</small>
    </li>
  );
}
