import type { Entry } from "../admin/types";
import { exactUsd, moment, seconds, usd, whole } from "../shared/format";
import { Left } from "../shared/left";
import type { Standings } from "../shared/left-words";
import { CopyCurl, Tag, curl } from "../shared/parts";
import { useGet } from "../shared/query";
import { session } from "../shared/session";
import type { OwnTenant } from "./own";
import { Why } from "./decision";
import { askWords, reasonOf, standingsOf } from "./refusal";

export const served = (row: Entry): string => (row.provider ? `${row.provider}/${row.model}` : row.requested_model);

/** One request: why it was refused and whom to ask, what it used and cost, and who was asked. */
export function RequestDetails({ entry }: { readonly entry: Entry }) {
  const mine = entry.user_id === session.value?.user.id;
  const refused = entry.refused_by !== null;
  return (
    <>
      {reasonOf(entry) && <Refusal entry={entry} mine={mine} />}
      <dl class="pairs">
        <dt>Id</dt><dd><code>{entry.id}</code></dd>
        <dt>When</dt><dd>{moment(entry.created_at)}</dd>
        <dt>Outcome</dt><dd><Tag state={entry.outcome}>{entry.status} {entry.outcome.replaceAll("_", " ")}</Tag> {entry.error_code ?? ""}</dd>
        <dt>Served by</dt><dd>{entry.provider ? <code dir="auto">{served(entry)}</code> : "nobody"}{entry.provider && ![entry.model, served(entry)].includes(entry.requested_model) && <small class="quiet" dir="auto"> asked for {entry.requested_model}</small>}</dd>
        <dt>Asked through</dt><dd>{entry.endpoint}{entry.stream ? ", streaming" : ""}</dd>
        <dt>With</dt><dd>{entry.key_id ? mine ? <a href={`/app/me/keys?open=${entry.key_id}`} dir="auto">{entry.key_name ?? <code>{entry.key_id}</code>}</a> : <span dir="auto">{entry.key_name ?? entry.key_id}</span> : "the chat"}{!mine && entry.user_id && <span class="quiet" dir="auto"> of {entry.user_name ?? entry.user_id}</span>}</dd>
        <dt>On the account of</dt><dd dir="auto">{session.value?.tenants.find((one) => one.id === entry.tenant_id)?.kind === "personal" ? "yourself" : (entry.tenant_name ?? entry.tenant_id)}</dd>
        {!refused && <Used entry={entry} />}
      </dl>
      <p class="buttons"><CopyCurl command={curl(`/me/requests/${encodeURIComponent(entry.id)}`)} /></p>
      {entry.attempts.length > 0 && <Attempts entry={entry} />}
      {entry.decision_id && !entry.refused_by && <Why decision={entry.decision_id} />}
    </>
  );
}

/** What it used, how long it took, and what it cost. */
const Used = ({ entry }: { readonly entry: Entry }) => (
  <>
    <dt>Tokens</dt><dd>{whole(entry.input_tokens)} in ({whole(entry.cache_read_tokens)} from the cache), {whole(entry.output_tokens)} out ({whole(entry.reasoning_tokens)} of reasoning), {entry.usage_source === "estimated" ? "counted by the gateway" : entry.usage_source === "provider" ? "as the provider says" : "nobody says"}</dd>
    <dt>Time</dt><dd>{seconds(entry.latency_ms)}{entry.ttft_ms === null ? "" : `, the first part after ${seconds(entry.ttft_ms)}`}</dd>
    <dt>Cost</dt><dd>{entry.cost_usd === null ? "unpriced" : exactUsd(entry.cost_usd)}{entry.cost_missing.length > 0 && ` without ${entry.cost_missing.join(", ")}, which has no price`}</dd>
  </>
);

/** Each call that it took. */
function Attempts({ entry }: { readonly entry: Entry }) {
  return (
    <section aria-label="Who was asked">
      <h3>Who was asked</h3>
      <ol class="steps">
        {entry.attempts.map((one) => (
          <li key={one.number}>
            <span><b dir="auto">{one.provider_name ?? one.provider}</b> <code dir="auto">{one.model}</code> <Tag state={one.outcome}>{one.status ?? ""} {one.outcome.replaceAll("_", " ")}</Tag></span>
            <small>{seconds(one.duration_ms)} · {whole(one.input_tokens)} in, {whole(one.output_tokens)} out · {one.cost_usd === null ? "no cost" : usd(one.cost_usd)}</small>
            {one.message && <small dir="auto">{one.message}</small>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Why it was refused, how that limit or budget stands now, and whom to ask. */
function Refusal({ entry, mine }: { readonly entry: Entry; readonly mine: boolean }) {
  const of = new URLSearchParams({ ...(entry.key_id ? { key_id: entry.key_id } : { tenant_id: entry.tenant_id }), model: entry.requested_model, ...(entry.tags.length ? { tags: entry.tags.join(",") } : {}) });
  const asked = entry.refused_by === null || (!mine && !entry.key_id) ? null : `${mine ? "/me/limits" : "/admin/limits/explain"}?${of}`;
  const left = useGet<Standings>(asked);
  const tenants = useGet<{ readonly data: readonly OwnTenant[] }>("/me/tenants");
  const standings = left.data ? standingsOf(entry, left.data) : [];
  const own = session.value?.user.email;
  const contacts = (tenants.data?.data.find((one) => one.id === entry.tenant_id)?.contacts ?? []).filter((one) => one !== own);
  return (
    <section class="review" aria-label="Why it was refused">
      <p><b>{reasonOf(entry)}</b> {askWords(entry, { keys: mine && entry.key_id !== null, contacts })}</p>
      {standings.length > 0 && <Left found={{ budgets: standings, limits: [] }} />}
      {entry.refused_by && left.data && standings.length === 0 && <p class="quiet" dir="auto">It was of {entry.refused_by.kind.replaceAll("_", " ")} {entry.refused_by.id}, which does not apply any more.</p>}
    </section>
  );
}
