import { address, setParams } from "../shared/address";
import { hourName, whole } from "../shared/format";
import { CopyCurl, Empty, Problem, curl } from "../shared/parts";
import { dayList, hourList, periodBefore, periodParams, type Period } from "../shared/period";
import { PeriodChoice, usePeriod } from "../shared/period-choice";
import { known, useGet } from "../shared/query";
import { Columns, NoColumns } from "../shared/chart";
import { FEW, GROUPINGS, SHARED_FILTERS, isGrouping, requestsLink, type Grouping } from "./groupings";
import { METRICS, metricOf, seriesOf, type Metric } from "./metrics";
import type { Usage } from "./types";
import { Chosen } from "./filters";
import { UsageExplained } from "./usage-explained";
import { UsageTable } from "./usage-table";
import { UsageTotals } from "./usage-totals";

const DEFAULT_GROUP: Grouping = "model";
const MOST_DAYS = 366;
const MOST_DAYS_BY_HOUR = 3;

/** What was used and what it cost, by any group, of any days, beside the days before. */
export default function UsagePage() {
  const params = address.value.searchParams;
  const period = usePeriod();
  const [first, second] = [params.get("by"), params.get("then_by")];
  const by: readonly Grouping[] = [isGrouping(first) ? first : DEFAULT_GROUP, ...(isGrouping(second) && second !== (first ?? DEFAULT_GROUP) ? [second] : [])];
  const metric = metricOf(params.get("metric"));
  const compared = params.get("compare") === "1";
  const filters = Object.fromEntries(SHARED_FILTERS.flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : [])));
  const asked = (group: string, of = period): string => `/admin/usage?${new URLSearchParams({ group_by: group, ...periodParams(of), ...filters })}`;
  const path = `${asked(by.join(","))}&stats=true`;
  const groups = useGet<Usage>(path);
  const before = useGet<Usage>(compared ? asked(by.join(","), periodBefore(period)) : null);
  const shared = { ...periodParams(period), ...filters };
  return (
    <>
      <div class="head">
        <h1>Usage and cost</h1>
        <span class="push" />
        <a class="btn" href={`${path}&format=csv`} download="usage.csv">CSV</a>
        <CopyCurl command={curl(path)} />
      </div>
      <PeriodChoice period={period} />
      <Choices by={by} compared={compared} />
      <Chosen filters={filters} />
      <Problem of={groups} />
      <UsageTotals now={groups.data?.total} before={compared ? (before.data?.total ?? null) : undefined} rows={requestsLink(shared)} />
      <Chart period={period} by={by} metric={metric} asked={asked} shared={shared} />
      {groups.data?.data.length === 0 ? <Empty>Nothing was asked in these days. Take a filter away, or choose more days.</Empty> : <UsageTable by={by} now={groups.data} before={compared ? before.data : undefined} shared={shared} zone={period.zone} />}
      {known(groups) && <UsageExplained key={JSON.stringify(shared)} query={new URLSearchParams(shared).toString()} />}
      {compared && <Problem of={before} />}
    </>
  );
}

function Choices({ by, compared }: { readonly by: readonly Grouping[]; readonly compared: boolean }) {
  const [first, second] = by;
  return (
    <div class="choices">
      <label>By <select value={first} onChange={(event) => setParams({ by: event.currentTarget.value })}>{GROUPINGS.map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}</select></label>
      <label>then by <select value={second ?? ""} onChange={(event) => setParams({ then_by: event.currentTarget.value || null })}>
        <option value="">nothing</option>
        {GROUPINGS.filter((one) => one.name !== first).map((one) => <option key={one.name} value={one.name}>{one.title}</option>)}
      </select></label>
      <button type="button" class="btn" aria-pressed={compared} onClick={() => setParams({ compare: compared ? null : "1" })}>Compare with the days before</button>
    </div>
  );
}

interface ChartProps {
  readonly period: Period;
  readonly by: readonly Grouping[];
  readonly metric: Metric;
  readonly asked: (group: string) => string;
  readonly shared: Readonly<Record<string, string>>;
}

/** By day, or by hour where the days are few; stacked by the first group of few values. */
function Chart({ period, by, metric, asked, shared }: ChartProps) {
  const days = dayList(period);
  const hourly = days.length <= MOST_DAYS_BY_HOUR;
  const times = hourly ? hourList(period) : days;
  const group = by.find((one) => FEW.includes(one)) ?? null;
  const usage = useGet<Usage>(days.length <= MOST_DAYS ? asked([hourly ? "hour" : "day", ...(group ? [group] : [])].join(",")) : null);
  const series = usage.data && seriesOf(usage.data, times, group, metric);
  const href = (at: string): string => requestsLink({ ...shared, from: at, to: hourly ? new Date(Date.parse(at) + 3_600_000).toISOString() : at });
  const title = `${METRICS[metric].title} by ${hourly ? "hour" : "day"}`;
  return (
    <section class="card" aria-label="Chart">
      <div class="head">
        <h2>{title}</h2>
        <span class="push" />
        <span class="segments" role="group" aria-label="What the chart shows">
          {Object.entries(METRICS).map(([name, one]) => <button key={name} type="button" aria-pressed={name === metric} onClick={() => setParams({ metric: name })}>{one.title}</button>)}
        </span>
      </div>
      <Problem of={usage} />
      {days.length > MOST_DAYS ? <NoColumns><Empty>A chart has at most {whole(MOST_DAYS)} days; the table below has all of them.</Empty></NoColumns>
        : !series ? <NoColumns />
        : series.length === 0 ? <NoColumns><Empty>Nothing was asked in these days.</Empty></NoColumns>
        : <Columns label={title} days={times} series={series} show={METRICS[metric].show} href={href} {...(hourly ? { name: (at: string) => hourName(at, period.zone) } : {})} />}
    </section>
  );
}
