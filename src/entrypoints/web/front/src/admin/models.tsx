import { useEffect, useState } from "preact/hooks";
import { address, setParams } from "../shared/address";
import { whole } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { getJson } from "../shared/http";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, Empty, Problem, curl } from "../shared/parts";
import { ModelDetails } from "./model-details";
import { STATES, endOf, isState, matches, rate, type State } from "./model-words";
import type { Page, PricedModel } from "./types";

const PATH = "/admin/models?limit=200";
const idOf = (one: PricedModel): string => `${one.provider}/${one.model}`;

type Line = PricedModel & { readonly id: string };

const COLUMNS: readonly Column<Line>[] = [
  { key: "model", title: "Model", width: "minmax(240px, 3fr)", cell: (row) => <code dir="auto">{row.id}</code> },
  { key: "context", title: "Context", width: "96px", end: true, cell: (row) => (row.context_window === null ? "–" : whole(row.context_window)) },
  { key: "in", title: "In, per 1M", width: "104px", end: true, cell: (row) => rate(row, "input") },
  { key: "out", title: "Out, per 1M", width: "104px", end: true, cell: (row) => rate(row, "output") },
  { key: "source", title: "Price of", width: "minmax(100px, 1fr)", cell: (row) => row.source ?? "nobody" },
  { key: "can", title: "Can", width: "minmax(120px, 1fr)", cell: (row) => row.capabilities.join(", ") },
  { key: "ends", title: "Ends", width: "110px", cell: endOf },
];
const SMALL: readonly Column<Line>[] = [{ ...COLUMNS[0]!, width: "minmax(0, 1fr)" }, { ...COLUMNS[2]!, width: "72px" }, { ...COLUMNS[3]!, width: "72px" }];

/** The whole list, page by page: it is the gateway's memory, so it is short even where it is long. */
function useModels() {
  const [models, setModels] = useState<readonly Line[]>();
  const [error, setError] = useState<Error>();
  const load = async (stop?: AbortSignal): Promise<void> => {
    try {
      const all: Line[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const page: Page<PricedModel> = await getJson(`${PATH}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, stop);
        all.push(...page.data.map((one) => ({ ...one, id: idOf(one) })));
        cursor = page.next_cursor;
      }
      setModels(all);
      setError(undefined);
    } catch (problem) {
      if (!stop?.aborted) setError(problem as Error);
    }
  };
  useEffect(() => {
    const stop = new AbortController();
    void load(stop.signal);
    return () => stop.abort();
  }, []);
  return { models, error, reload: () => void load() };
}

export default function Models() {
  const list = useModels();
  const params = address.value.searchParams;
  const [search, asked, open] = [params.get("q") ?? "", params.get("state"), params.get("open")];
  const state: State | null = isState(asked) ? asked : null;
  const shown = list.models?.filter((one) => matches(one, search, state));
  const chosen = list.models?.find((one) => one.id === open);
  return (
    <>
      <div class="head">
        <h1>Models and prices</h1>
        <span class="push" />
        <span class="quiet count" role="status">{shown ? `${whole(shown.length)} of ${whole(list.models!.length)}` : ""}</span>
        <CopyCurl command={curl(PATH)} />
      </div>
      <div class="chips" role="group" aria-label="Filters">
        <input type="search" id="filter" class="search" aria-label="Search models" placeholder="name, maker, capability" value={search} onInput={(event) => setParams({ q: event.currentTarget.value || null })} />
        {Object.entries(STATES).map(([name, { title }]) => <button key={name} type="button" class="chip" aria-pressed={name === state} onClick={() => setParams({ state: name === state ? null : name })}>{title}</button>)}
      </div>
      <Problem of={list} />
      {list.models?.length === 0 && <Empty>No model yet. <a href="/app/admin/providers?open=new">Paste a provider's key</a>, and its models are listed here.</Empty>}
      {list.models && list.models.length > 0 && shown?.length === 0 && <Empty>No model is like this. Take a filter away. A model that is not listed can be called all the same, as <code>provider/model</code>.</Empty>}
      {shown && shown.length > 0 && <Grid label="Models" columns={isNarrow.value ? SMALL : COLUMNS} rows={shown} onOpen={(row) => setParams({ open: row.id })} onEnd={() => undefined} {...(open ? { chosen: open } : {})} />}
      {chosen && <Drawer key={chosen.id} title={chosen.id} close={() => setParams({ open: null })}><ModelDetails model={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}
