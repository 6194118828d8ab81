import { Columns, NoColumns } from "../shared/chart";
import { brief, usd } from "../shared/format";
import { CopyCurl, Empty, Problem, Tag, curl } from "../shared/parts";
import { dayList, periodParams } from "../shared/period";
import { PeriodChoice, usePeriod } from "../shared/period-choice";
import { known, useGet } from "../shared/query";
import { RunsOut, SavedByRoute } from "./overview-outlook";
import type { StandingBudget } from "./outlook";
import { FirstSteps } from "./first-steps";
import { requestsLink } from "./groupings";
import { seriesOf } from "./metrics";
import type { Page, Provider, Usage } from "./types";
import { UsageTotals } from "./usage-totals";

export default function Overview() {
  const period = usePeriod();
  const shared = periodParams(period);
  const sums = (group: string): string => `/admin/usage?${new URLSearchParams({ group_by: group, ...shared })}`;
  const path = sums("day,provider");
  const byDay = useGet<Usage>(path, { poll: 15_000 });
  const byModel = useGet<Usage>(sums("model"), { poll: 15_000 });
  const byRoute = useGet<Usage>(sums("route"), { poll: 15_000 });
  const budgets = useGet<Page<StandingBudget>>("/admin/budgets", { poll: 15_000 });
  const providers = useGet<Page<Provider>>("/admin/providers?limit=200", { poll: 5_000 });
  const nothing = byDay.data?.total.requests === 0;
  const ever = useGet<Page<unknown>>(nothing ? "/admin/requests?limit=1" : null);
  const first = nothing && ever.data?.data.length === 0;
  const begun = known(byDay) && (!nothing || known(ever));
  return (
    <>
      <div class="head"><h1>Overview</h1><span class="push" /><CopyCurl command={curl(path)} /></div>
      <PeriodChoice period={period} />
      <Problem of={byDay} />
      <UsageTotals now={byDay.data?.total} rows={requestsLink(shared)} savings />
      <div class="two">
        {first ? <FirstSteps /> : (
          <section class="card" aria-label="Cost by day and provider">
            <h2>Cost by day and provider</h2>
            <CostByDay usage={begun ? byDay.data : undefined} days={dayList(period)} href={(day) => requestsLink({ ...shared, from: day, to: day })} />
          </section>
        )}
        <section class="card" aria-label="Providers"><h2>Providers</h2><Problem of={providers} /><ProviderList providers={providers.data?.data} /></section>
      </div>
      {[providers, budgets, byRoute].every(known) && (
        <div class="two even">
          <section class="card" aria-label="What runs out"><div class="head"><h2>What runs out</h2><span class="push" /><a href="/app/admin/budgets">All budgets</a></div><Problem of={budgets} /><RunsOut budgets={budgets.data?.data ?? []} providers={providers.data?.data ?? []} /></section>
          <section class="card" aria-label="Saved by route">
            <div class="head"><h2>Saved by route</h2><span class="push" /><a href={`/app/admin/usage?${new URLSearchParams({ by: "route", ...shared })}`}>All of them</a></div>
            <Problem of={byRoute} />
            <SavedByRoute usage={byRoute.data} shared={shared} />
          </section>
        </div>
      )}
      {[providers, budgets, byRoute].every(known) && (
        <section class="card" aria-label="Models by cost">
          <div class="head"><h2>Models by cost</h2><span class="push" /><a href={`/app/admin/usage?${new URLSearchParams(shared)}`}>All of them</a></div>
          <Problem of={byModel} />
          <ModelList usage={byModel.data} shared={shared} />
        </section>
      )}
    </>
  );
}

function CostByDay({ usage, days, href }: { readonly usage: Usage | undefined; readonly days: readonly string[]; readonly href: (day: string) => string }) {
  if (!usage) return <NoColumns />;
  const series = seriesOf(usage, days, "provider", "cost");
  if (series.length === 0 || days.length > 366) return <NoColumns><Empty>{series.length === 0 ? "Nothing was asked in these days." : "A chart has at most 366 days."}</Empty></NoColumns>;
  return <Columns label="Cost by day and provider, in USD" days={days} series={series} show={(cost) => usd(String(cost))} href={href} />;
}

function ProviderList({ providers }: { readonly providers: readonly Provider[] | undefined }) {
  const available = providers?.filter((one) => one.status === "available").length;
  return (
    <>
      <p class="quiet">{providers ? `${available} of ${providers.length} available now` : "…"}</p>
      <ul class="list">
        {providers?.slice(0, 8).map((one) => <li key={one.id}><a href={`/app/admin/providers?open=${one.id}`} dir="auto">{one.name}</a><Tag state={one.status} /></li>)}
      </ul>
      {(providers?.length ?? 0) > 8 && <p><a href="/app/admin/health">All {providers!.length}</a></p>}
    </>
  );
}

function ModelList({ usage, shared }: { readonly usage: Usage | undefined; readonly shared: Readonly<Record<string, string>> }) {
  const models = [...(usage?.data ?? [])].sort((a, b) => Number(b.cost_usd) - Number(a.cost_usd) || b.requests - a.requests).slice(0, 8);
  const most = Math.max(1e-12, ...models.map((row) => Number(row.cost_usd)));
  if (usage && models.length === 0) return <Empty>Nothing was asked in these days.</Empty>;
  return (
    <ul class="list">
      {models.map((row) => (
        <li key={row.model}>
          {row.model ? <a href={requestsLink({ ...shared, model: row.model })}><code>{row.model}</code></a> : <span>refused before a model was asked</span>}
          <span>{row.requests > 0 && row.unpriced_requests === row.requests ? "unpriced" : usd(row.cost_usd)} · {brief(row.requests)} requests</span>
          <span class="meter"><i style={{ width: `${(Number(row.cost_usd) / most) * 100}%` }} /></span>
        </li>
      ))}
    </ul>
  );
}
