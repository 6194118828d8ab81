import { brief, usd, whole } from "../shared/format";
import { changeOf } from "./groupings";
import type { Sums } from "./types";

interface Props {
  readonly now: Sums | undefined;
  /** Null while it is on its way; undefined where it is not asked for. */
  readonly before?: Sums | null | undefined;
  /** The rows that add up to these. */
  readonly rows: string;
  /** Whether what routes have saved stands beside it. */
  readonly savings?: boolean;
}

/** Where the savings lie, as far as requests were held out to measure them. */
const savedBetween = ({ savings_interval_usd: between }: Sums): string => (between ? `between ${usd(between[0])} and ${usd(between[1])} with 95 %` : "against each request's baseline");


/** Cost, requests and tokens of a time, each a link to its rows; beside what they were before, where that is asked for. */
export function UsageTotals({ now, before, rows, savings = false }: Props) {
  const stats = [
    { title: "Cost", of: (sums: Sums) => Number(sums.cost_usd), show: (sums: Sums) => usd(sums.cost_usd), small: (sums: Sums) => (sums.unpriced_requests ? `${whole(sums.unpriced_requests)} requests without a price` : sums.inexact_requests ? `${whole(sums.inexact_requests)} requests with parts that have no price` : "every request has a price") },
    { title: "Requests", of: (sums: Sums) => sums.requests, show: (sums: Sums) => brief(sums.requests), small: (sums: Sums) => (sums.error_requests === undefined ? `${whole(sums.estimated_requests)} with tokens that we counted` : `${whole(sums.error_requests)} failed, ${whole(sums.refused_requests ?? 0)} refused`) },
    { title: "Tokens in", of: (sums: Sums) => sums.input_tokens, show: (sums: Sums) => brief(sums.input_tokens), small: (sums: Sums) => `${brief(sums.cache_read_tokens)} from a cache` },
    { title: "Tokens out", of: (sums: Sums) => sums.output_tokens, show: (sums: Sums) => brief(sums.output_tokens), small: (sums: Sums) => `${brief(sums.reasoning_tokens)} of reasoning` },
    ...(savings ? [{ title: "Saved", of: (sums: Sums) => Number(sums.savings_usd), show: (sums: Sums) => usd(sums.savings_usd), small: savedBetween }] : []),
  ]; // prettier-ignore
  return (
    <section class={savings ? "cards five" : "cards"} aria-label="Totals">
      {stats.map((stat) => (
        <a key={stat.title} class="card stat" href={rows}>
          <span>{stat.title}</span>
          <strong>{now ? stat.show(now) : "–"}</strong>
          <small>{now ? stat.small(now) : "…"}</small>
          {before !== undefined && <small>{before && now ? `${changeOf(stat.of(now), stat.of(before)) ?? "more"}, from ${stat.show(before)}` : "…"}</small>}
        </a>
      ))}
    </section>
  );
}
