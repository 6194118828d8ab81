import { address, setParams } from "../shared/address";
import { moment, stamp, usd, whole } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, Empty, Problem, Tag, curl } from "../shared/parts";
import { periodParams } from "../shared/period";
import { PeriodChoice, usePeriod } from "../shared/period-choice";
import { useGet } from "../shared/query";
import { useRows } from "../shared/request-rows";
import { Chosen } from "./filters";
import type { Decision } from "./decision-words";
import { RequestDetails } from "./request-details";
import { RequestFilters, filtersOf } from "./request-filters";
import type { Entry } from "./types";

const ms = (value: number | null): string => (value === null ? "–" : `${whole(Math.round(value))} ms`);

const columns = (zone: string): readonly Column<Entry>[] => [
  { key: "time", title: "Time", width: "138px", cell: (row) => <span title={moment(row.created_at)}>{stamp(row.created_at, zone)}</span> },
  { key: "outcome", title: "Outcome", width: "128px", cell: (row) => <Tag state={row.outcome}>{row.status} {row.outcome === "ok" ? "" : row.outcome.replaceAll("_", " ")}</Tag> },
  { key: "model", title: "Model", width: "minmax(140px, 2fr)", cell: (row) => <code dir="auto">{row.provider ? `${row.provider}/${row.model}` : row.requested_model}</code> },
  { key: "key", title: "Key", width: "minmax(72px, 1fr)", cell: (row) => <span dir="auto">{row.key_name ?? row.user_name ?? row.key_id ?? "–"}</span> },
  { key: "tries", title: "Tries", width: "40px", end: true, cell: (row) => row.attempts.length },
  { key: "in", title: "In", width: "60px", end: true, cell: (row) => whole(row.input_tokens) },
  { key: "out", title: "Out", width: "56px", end: true, cell: (row) => whole(row.output_tokens) },
  { key: "first", title: "First", width: "68px", end: true, cell: (row) => ms(row.ttft_ms) },
  { key: "total", title: "Total", width: "72px", end: true, cell: (row) => ms(row.latency_ms) },
  { key: "cost", title: "Cost", width: "84px", end: true, cell: (row) => (row.cost_usd === null ? "unpriced" : usd(row.cost_usd)) },
];
const narrow = (all: readonly Column<Entry>[]): readonly Column<Entry>[] => [{ ...all[1]!, width: "110px" }, { ...all[2]!, width: "minmax(0, 1fr)" }, { ...all[9]!, width: "76px" }];

/** From one moment to another, where the address has no dates but these. */
function timesOf(params: URLSearchParams): Readonly<Record<string, string>> | null {
  const [from, to] = [params.get("from"), params.get("to")];
  return from?.includes("T") ? { from, ...(to ? { to } : {}) } : null;
}

/** Somebody reads as long as a request is open or the list is scrolled: what is new waits then. */
const reading = (): boolean => document.querySelector("dialog[open]") !== null || (document.querySelector(".grid")?.scrollTop ?? 0) > 0;

export default function Requests() {
  const params = address.value.searchParams;
  const period = usePeriod();
  const moments = timesOf(params);
  const timed = !moments && (params.has("from") || params.has("days"));
  const filters = filtersOf(params);
  const query = new URLSearchParams({ ...(moments ?? (timed ? periodParams(period) : {})), ...filters }).toString();
  const following = params.get("follow") === "1";
  const { rows, loaded, more, waiting, showWaiting, ...state } = useRows("/admin/requests", query, following, reading);
  const open = params.get("open");
  const all = columns(period.zone);
  return (
    <>
      <div class="head">
        <h1>Requests</h1>
        <span class="push" />
        <button type="button" class="btn" aria-pressed={following} onClick={() => setParams({ follow: following ? null : "1" })}>{following ? "Following" : "Follow"}</button>
        <a class="btn" href={`/admin/requests?${query}&format=csv`} download="requests.csv">CSV</a>
        <CopyCurl command={curl(`/admin/requests?${query}`)} />
      </div>
      <PeriodChoice period={period} optional={!timed} />
      {moments && <Chosen filters={moments} />}
      <RequestFilters filters={filters} />
      <p class={following ? "waiting on" : "waiting"} role="status">{waiting > 0 && <button type="button" class="btn" onClick={showWaiting}>Show {whole(waiting)} new</button>}</p>
      <Problem of={state} />
      {loaded && rows.length === 0 ? <Empty>No request is like this. Take a filter away, or ask something.</Empty> : (
        <Grid label="Requests" columns={isNarrow.value ? narrow(all) : all} rows={rows} onOpen={(row) => setParams({ open: row.id })} onEnd={more} {...(open ? { chosen: open } : {})} />
      )}
      {open && <RequestDrawer id={open} known={rows.find((one) => one.id === open)} zone={period.zone} />}
    </>
  );
}

/** Of a request's id, or of the id of its decision, which clients are told too. */
function RequestDrawer({ id, known, zone }: { readonly id: string; readonly known: Entry | undefined; readonly zone: string }) {
  const decided = useGet<Decision>(id.startsWith("dec_") ? `/admin/decisions/${encodeURIComponent(id)}` : null);
  const request = id.startsWith("dec_") ? decided.data?.request_id : id;
  const asked = useGet<Entry>(known || !request ? null : `/admin/requests/${encodeURIComponent(request)}`);
  const entry = known ?? asked.data;
  return (
    <Drawer title={entry?.requested_model ?? "Request"} close={() => setParams({ open: null })}>
      <Problem of={decided} />
      <Problem of={asked} />
      {entry && <RequestDetails entry={entry} zone={zone} />}
    </Drawer>
  );
}
