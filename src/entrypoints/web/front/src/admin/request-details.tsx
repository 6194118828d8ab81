import { exactUsd, moment, seconds, stamp, usd, whole } from "../shared/format";
import { CopyCurl, Tag, curl } from "../shared/parts";
import { DecisionOf } from "./decision";
import { CostTable } from "./cost-table";
import type { Attempt, Entry } from "./types";

const link = (name: string, value: string): string => `/app/admin/requests?${new URLSearchParams({ [name]: value })}`;

/** One request: who asked for what, who served it, what it used, and every call that it took. */
export function RequestDetails({ entry, zone }: { readonly entry: Entry; readonly zone: string }) {
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{entry.id}</code></dd>
        <dt>When</dt><dd title={moment(entry.created_at)}>{stamp(entry.created_at, zone)} <small class="quiet">{zone}</small></dd>
        <dt>Outcome</dt><dd><Tag state={entry.outcome}>{entry.status} {entry.outcome.replaceAll("_", " ")}</Tag> {entry.error_code && <a href={link("error_code", entry.error_code)}>{entry.error_code}</a>}</dd>
        {entry.refused_by && [<dt key="t">Refused by</dt>, <dd key="d">{entry.refused_by.kind.replaceAll("_", " ")} <code>{entry.refused_by.id}</code></dd>]}
        {entry.would_refuse.length > 0 && [<dt key="w">Would be refused by</dt>, <dd key="s">{entry.would_refuse.map((by) => `${by.kind.replaceAll("_", " ")} ${by.id}`).join(", ")}</dd>]}
        {entry.route && [<dt key="r">Route</dt>, <dd key="o"><a href={`/app/admin/routes?open=${encodeURIComponent(entry.route)}`} dir="auto">{entry.route}</a>{entry.savings_usd !== null && `, ${exactUsd(entry.savings_usd)} saved`}</dd>]}
        <dt>Served by</dt><dd>{entry.provider ? <a href={`/app/admin/providers?open=${encodeURIComponent(entry.provider)}`} dir="auto">{entry.provider_name ?? entry.provider}</a> : "nobody"} <code dir="auto">{entry.model ?? ""}</code></dd>
        <dt>Asked through</dt><dd>{entry.endpoint}{entry.stream ? ", streaming" : ""}</dd>
        <By entry={entry} />
        <dt>Tokens</dt><dd>{whole(entry.input_tokens)} in ({whole(entry.cache_read_tokens)} from the cache), {whole(entry.output_tokens)} out ({whole(entry.reasoning_tokens)} of reasoning), {entry.usage_source === "estimated" ? "counted by the gateway" : entry.usage_source === "provider" ? "as the provider says" : "nobody says"}</dd>
        <dt>Time</dt><dd>{seconds(entry.latency_ms)}{entry.ttft_ms === null ? "" : `, the first part after ${seconds(entry.ttft_ms)}`}</dd>
        <dt>Cost</dt><dd>{entry.cost_usd === null ? "unpriced" : exactUsd(entry.cost_usd)}{entry.cost_missing.length > 0 && ` without ${entry.cost_missing.join(", ")}, which has no price`}</dd>
      </dl>
      <p class="buttons"><CopyCurl command={curl(`/admin/requests/${encodeURIComponent(entry.id)}`)} /></p>
      <h3>Attempts</h3>
      <Timeline entry={entry} />
      <h3>Why it went there</h3>
      <DecisionOf key={entry.decision_id} id={entry.decision_id} />
    </>
  );
}

function By({ entry }: { readonly entry: Entry }) {
  const others = [["end user", "end_user", entry.end_user], ["session", "session", entry.session], ["device", "device", entry.device], ["task", "task", entry.task]] as const;
  return (
    <>
      <dt>By</dt>
      <dd>
        {entry.key_id ? <>key <a href={link("key_id", entry.key_id)} dir="auto">{entry.key_name ?? <code>{entry.key_id}</code>}</a></> : "no key"}
        {entry.user_id && <>, user <a href={link("user_id", entry.user_id)} dir="auto">{entry.user_name ?? <code>{entry.user_id}</code>}</a></>}
        , tenant <a href={link("tenant_id", entry.tenant_id)} dir="auto">{entry.tenant_name ?? <code>{entry.tenant_id}</code>}</a>
      </dd>
      {(entry.tags.length > 0 || others.some(([, , value]) => value)) && [
        <dt key="t">For</dt>,
        <dd key="d">
          {others.map(([title, name, value]) => value && <span key={name}>{title} <a href={link(name, value)} dir="auto">{value}</a> </span>)}
          {entry.tags.map((tag) => <a key={tag} class="mark" href={link("tag", tag)} dir="auto">{tag}</a>)}
        </dd>,
      ]}
    </>
  );
}

/** The attempts one after the other, on a line as long as the request. */
function Timeline({ entry }: { readonly entry: Entry }) {
  const total = Math.max(entry.latency_ms, entry.attempts.reduce((sum, one) => sum + one.duration_ms, 0), 1);
  let from = 0;
  return (
    <ol class="steps">
      {entry.attempts.map((one) => {
        const left = (from / total) * 100;
        from += one.duration_ms;
        return (
          <li key={one.number}>
            <span><b dir="auto">{one.provider_name ?? one.provider}</b> <code dir="auto">{one.model}</code> <Tag state={one.outcome}>{one.status ?? ""} {one.outcome.replaceAll("_", " ")}</Tag></span>
            <span class="line"><i class={one.outcome === "ok" ? "good" : "bad"} style={{ left: `${left}%`, width: `${Math.max(1, (one.duration_ms / total) * 100)}%` }} /></span>
            <small>{seconds(one.duration_ms)}{one.key_id && <> · key {one.key_name ?? <code>{one.key_id}</code>}</>}</small>
            {one.message && <small dir="auto">{one.message}</small>}
            <Charge attempt={one} />
            <CostTable attempt={one} />
          </li>
        );
      })}
      {entry.attempts.length === 0 && <li>Nobody was asked.</li>}
    </ol>
  );
}

/** What one call used and cost, and by whose word. */
function Charge({ attempt }: { readonly attempt: Attempt }) {
  if (attempt.input_tokens + attempt.output_tokens === 0 && attempt.cost_usd === null) return null;
  const told = attempt.reported_cost_usd !== null;
  return (
    <small>
      {whole(attempt.input_tokens)} in, {whole(attempt.output_tokens)} out · {attempt.cost_usd === null ? "no price" : usd(attempt.cost_usd)}
      {told && `, as the provider charged it; our price gives ${attempt.computed_cost_usd === null ? "none" : usd(attempt.computed_cost_usd)}`}
      {attempt.cost_missing.length > 0 && `, without ${attempt.cost_missing.join(", ")}`}
    </small>
  );
}
