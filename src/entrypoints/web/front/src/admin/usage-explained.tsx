import { useState } from "preact/hooks";
import { exactUsd, whole } from "../shared/format";
import { CopyCurl, Empty, Problem, curl } from "../shared/parts";
import { useGet } from "../shared/query";

interface Row {
  readonly provider: string;
  readonly model: string;
  readonly meter: string;
  readonly quantity: number;
  readonly price_id: string | null;
  readonly price_usd: string | null;
  readonly price_source: string | null;
  readonly price_since: string | null;
  readonly cost_usd: string;
}

interface Explained {
  readonly rows: readonly Row[];
  readonly unpriced_requests: number;
  readonly estimated_requests: number;
  readonly total_usd: string;
}

/** What is not sold by the token, in words. */
const CALLS: Readonly<Record<string, string>> = {
  reported: "as providers charged it", other: "by terms, fees, and what is sold by the piece", rounding: "rounded to a nano-dollar a call",
}; // prettier-ignore

/** Which prices made the cost of a time: asked for when somebody looks, since every call of the time is read for it. */
export function UsageExplained({ query }: { readonly query: string }) {
  const [open, setOpen] = useState(false);
  const path = `/admin/usage/explain?${query}`;
  const asked = useGet<Explained>(open ? path : null, { fresh: 60_000 });
  return (
    <details class="card" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Which prices made this cost</summary>
      <Problem of={asked} />
      {open && !asked.data && !asked.error && <p class="quiet" role="status">Every call of these days is read…</p>}
      {asked.data && <Rows of={asked.data} />}
      {asked.data && <p class="buttons"><CopyCurl command={curl(path)} /></p>}
    </details>
  );
}

function Rows({ of }: { readonly of: Explained }) {
  if (of.rows.length === 0) return <Empty>Nothing was charged in these days.</Empty>;
  return (
    <>
      <div class="wide" tabIndex={0} role="region" aria-label="Prices and what was asked at them">
        <table class="plain">
          <thead><tr><th scope="col">Model</th><th scope="col">Kind</th><th scope="col" class="end">Count</th><th scope="col" class="end">per 1M</th><th scope="col">Price of</th><th scope="col" class="end">USD</th></tr></thead>
          <tbody>
            {of.rows.map((row) => (
              <tr key={JSON.stringify([row.provider, row.model, row.meter, row.price_id])}>
                <td><code dir="auto">{row.provider}/{row.model}</code></td>
                <td>{CALLS[row.meter] ?? row.meter.replaceAll("_", " ")}</td>
                <td class="end">{whole(row.quantity)}</td>
                <td class="end">{row.price_usd === null ? "–" : exactUsd(row.price_usd)}</td>
                <td class="quiet">{row.price_source ?? "–"}{row.price_since ? `, since ${row.price_since.slice(0, 10)}` : ""}</td>
                <td class="end">{exactUsd(row.cost_usd)}</td>
              </tr>
            ))}
            <tr><td colSpan={5}><b>Sum</b></td><td class="end"><b>{exactUsd(of.total_usd)}</b></td></tr>
          </tbody>
        </table>
      </div>
      <p class="quiet">{whole(of.unpriced_requests)} requests without a price, {whole(of.estimated_requests)} with tokens that were counted here.</p>
    </>
  );
}
