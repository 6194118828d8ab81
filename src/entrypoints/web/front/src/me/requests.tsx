import type { Entry } from "../admin/types";
import { address, setParams } from "../shared/address";
import { moment, usd, whole } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, Empty, Problem, Tag, curl } from "../shared/parts";
import { useGet } from "../shared/query";
import { useRows } from "../shared/request-rows";
import { session } from "../shared/session";
import { RequestDetails, served } from "./request-details";
import { Scope, wholeTenants } from "./scope";

const FILTERS = ["from", "to", "timezone", "provider", "model", "outcome", "status", "error_code", "refused", "key_id", "user_id", "tenant_id", "session"];
const OUTCOMES = ["ok", "error", "client_cancelled", "interrupted"];

const cost = (value: string | null): string => (value === null ? "unpriced" : usd(value));

const WIDE: readonly Column<Entry>[] = [
  { key: "time", title: "Time", width: "170px", cell: (row) => moment(row.created_at) },
  { key: "outcome", title: "Outcome", width: "150px", cell: (row) => <Tag state={row.refused_by ? "rate_limited" : row.outcome}>{row.status} {row.refused_by ? "refused" : row.outcome === "ok" ? "" : row.outcome.replaceAll("_", " ")}</Tag> },
  { key: "model", title: "Model", width: "minmax(180px, 2fr)", cell: (row) => <code>{served(row)}</code> },
  { key: "in", title: "In", width: "72px", end: true, cell: (row) => whole(row.input_tokens) },
  { key: "out", title: "Out", width: "72px", end: true, cell: (row) => whole(row.output_tokens) },
  { key: "total", title: "Took", width: "84px", end: true, cell: (row) => `${whole(Math.round(row.latency_ms))} ms` },
  { key: "cost", title: "Cost", width: "92px", end: true, cell: (row) => cost(row.cost_usd) },
];
const SMALL: readonly Column<Entry>[] = [{ ...WIDE[1]!, width: "110px" }, { ...WIDE[2]!, width: "minmax(0, 1fr)" }, { ...WIDE[6]!, width: "92px" }];

/** What is filtered by and has no control of its own. */
const worthAChip = ([name = "", value = ""]: readonly string[]): boolean => !["outcome", "timezone", "refused"].includes(name) && !(name === "tenant_id" && wholeTenants().some((one) => one.id === value));

/** A tenant, or oneself, by name. */
function valueWords(name: string, value: string): string {
  if (name === "user_id" && value === session.value?.user.id) return "you";
  const tenant = name === "tenant_id" ? session.value?.tenants.find((one) => one.id === value) : undefined;
  return tenant ? (tenant.kind === "personal" ? "yourself" : tenant.name) : value;
}

/** One's own requests, or a tenant's for those who may see them, newest first. */
export default function Requests() {
  const query = new URLSearchParams([...address.value.searchParams].filter(([name]) => FILTERS.includes(name)));
  const { rows, loaded, more, ...state } = useRows("/me/requests", query.toString());
  const open = address.value.searchParams.get("open");
  const press = (name: string, value: string): void => setParams({ [name]: query.get(name) === value ? null : value });
  return (
    <>
      <div class="head"><h1>Requests</h1><span class="push" /><CopyCurl command={curl(`/me/requests?${query}`)} /><a class="btn" href={`/me/requests?${new URLSearchParams([...query, ["format", "csv"]])}`} download="requests.csv">CSV</a><Scope /><button type="button" class="btn" onClick={state.reload}>Look again</button></div>
      <div class="chips" role="group" aria-label="Filters">
        {OUTCOMES.map((one) => <button key={one} type="button" class="chip" aria-pressed={query.get("outcome") === one} onClick={() => press("outcome", one)}>{one.replaceAll("_", " ")}</button>)}
        <button type="button" class="chip" aria-pressed={query.get("refused") === "true"} onClick={() => press("refused", "true")}>refused</button>
        {[...query].filter(worthAChip).map(([name, value]) => <button key={name} type="button" class="chip" aria-pressed="true" onClick={() => setParams({ [name]: null })}>{name}: {valueWords(name, value)} <span aria-hidden="true">✕</span><span class="sr">take away</span></button>)}
        <form class="inline" onSubmit={(event) => { event.preventDefault(); setParams({ model: String(new FormData(event.currentTarget).get("model")) || null }); }}>
          <input name="model" aria-label="Model" placeholder="model" defaultValue={query.get("model") ?? ""} />
        </form>
      </div>
      <Problem of={state} />
      {loaded && rows.length === 0 ? <Empty>{query.size > 0 ? "No request is like this. Take a filter away." : "Nothing was asked yet: ask in the chat, or with a key."}</Empty> : (
        <Grid label="Requests" columns={isNarrow.value ? SMALL : WIDE} rows={rows} onOpen={(row) => setParams({ open: row.id })} onEnd={more} {...(open ? { chosen: open } : {})} />
      )}
      {open && <OneRequest id={open} known={rows.find((one) => one.id === open)} />}
    </>
  );
}

function OneRequest({ id, known }: { readonly id: string; readonly known: Entry | undefined }) {
  const asked = useGet<Entry>(known ? null : `/me/requests/${encodeURIComponent(id)}`);
  const entry = known ?? asked.data;
  return (
    <Drawer title={entry?.requested_model ?? "Request"} close={() => setParams({ open: null })}>
      <Problem of={asked} />
      {entry && <RequestDetails entry={entry} />}
    </Drawer>
  );
}
