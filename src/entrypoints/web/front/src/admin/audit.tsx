import { address, setParams } from "../shared/address";
import { inWords } from "../shared/changes";
import { moment, stamp } from "../shared/format";
import { More, idOf, useList } from "../shared/list";
import { CopyCurl, Empty, Problem, Tag, curl } from "../shared/parts";
import { momentParams } from "../shared/period";
import { PeriodChoice, usePeriod } from "../shared/period-choice";
import { Chosen } from "./filters";
import { actorPage, pageOf } from "./object-pages";

interface AuditEntry {
  readonly id: string;
  readonly created_at: string;
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
  readonly address: string;
  readonly request_id: string;
  readonly action: string;
  readonly object: { readonly kind: string; readonly id: string };
  readonly outcome: string;
  readonly changes: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[];
}

const FILTERS = ["actor", "action", "object_kind", "object_id", "tenant_id", "outcome"] as const;
const TEXTS = [["object_id", "object id"], ["object_kind", "kind of object"], ["action", "action"], ["actor", "actor"], ["tenant_id", "tenant id"]] as const;

/** Who changed what, when, from where, and from what to what. */
export default function Audit() {
  const params = address.value.searchParams;
  const period = usePeriod();
  const timed = params.has("from") || params.has("days");
  const filters = Object.fromEntries(FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : [])));
  const query = new URLSearchParams({ ...(timed ? momentParams(period) : {}), ...filters, limit: "100" }).toString();
  const list = useList<AuditEntry>(`/admin/audit?${query}`, idOf, { fresh: 0 });
  return (
    <>
      <div class="head">
        <h1>Audit</h1>
        <span class="push" />
        <a class="btn" href={`/admin/audit?${query}&format=csv`} download="audit.csv">CSV</a>
        <CopyCurl command={curl(`/admin/audit?${query}`)} />
      </div>
      <PeriodChoice period={period} optional={!timed} />
      <AuditFilter />
      <Chosen filters={filters} />
      <Problem of={list} />
      {list.data?.length === 0 && <Empty>{timed || Object.keys(filters).length > 0 ? "No entry is like this. Take a filter away." : "Nothing was changed yet."}</Empty>}
      <ol class="rows">{list.data?.map((one) => <Entry key={one.id} entry={one} zone={period.zone} />)}</ol>
      <More of={list} words="Show earlier ones" />
    </>
  );
}

function AuditFilter() {
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = new FormData(form);
    const value = String(found.get("value")).trim();
    if (value) setParams({ [String(found.get("filter"))]: value });
    form.reset();
  };
  return (
    <form class="inline" onSubmit={add} aria-label="Filter">
      <select name="filter" aria-label="Filter by">{TEXTS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</select>
      <input name="value" id="filter" aria-label="Is" placeholder="is" autocomplete="off" dir="auto" maxLength={512} />
      <button class="btn">Filter</button>
      <button type="button" class="chip" onClick={() => setParams({ outcome: "refused" })}>refused</button>
    </form>
  );
}

function Entry({ entry, zone }: { readonly entry: AuditEntry; readonly zone: string }) {
  const page = pageOf(entry.object, entry.changes);
  const who = actorPage(entry.actor);
  const name = <span dir="auto">{entry.actor.name || entry.actor.kind}</span>;
  const id = <code dir="auto">{entry.object.id}</code>;
  return (
    <li class="card">
      <b>{entry.action} {entry.object.kind.replaceAll("_", " ")}</b> {page && entry.action !== "delete" ? <a href={page}>{id}</a> : id}{" "}
      {entry.outcome !== "ok" && <Tag state={entry.outcome} />}{" "}
      <span class="quiet">
        <time dateTime={entry.created_at} title={moment(entry.created_at)}>{stamp(entry.created_at, zone)}</time> · {who ? <a href={who}>{name}</a> : name}{entry.address ? ` · ${entry.address}` : ""}
        {entry.request_id ? <> · <code>{entry.request_id}</code></> : ""}
        {" · "}<button type="button" class="plainbutton" aria-label={`Only of this ${entry.object.kind.replaceAll("_", " ")}: ${entry.object.id}`} onClick={() => setParams({ object_id: entry.object.id })}>its history</button>
      </span>
      {entry.changes.length > 0 && <ul class="changes">{entry.changes.map((change) => <li key={change.field}><code>{change.field}</code>: <span dir="auto">{inWords(change.old)}</span> → <span dir="auto">{inWords(change.new)}</span></li>)}</ul>}
    </li>
  );
}
