import type { Usage } from "../admin/types";
import { Columns, NoColumns } from "../shared/chart";
import { brief, usd, whole } from "../shared/format";
import { Left } from "../shared/left";
import type { Standing, Standings } from "../shared/left-words";
import { CopyCurl, Empty, Problem, curl } from "../shared/parts";
import { dayList, periodParams } from "../shared/period";
import { PeriodChoice, usePeriod } from "../shared/period-choice";
import { known, useGet } from "../shared/query";
import { dayOf } from "../shared/zones";
import { session } from "../shared/session";
import { Scope, chosenTenant, wholeTenants } from "./scope";

const POLL = { poll: 30_000 };
const OFTEN = { poll: 10_000 };

type Rows = (query: Readonly<Record<string, string>>) => string;

/** What one's keys and chats used and cost, on days of the zone that one reads in, and what is left of one's budgets and limits. */
export default function OwnUsage() {
  const period = usePeriod();
  const days = periodParams(period);
  const tenant = chosenTenant();
  const of: Readonly<Record<string, string>> = tenant ? { tenant_id: tenant } : {};
  const path = (group: string): string => `/me/usage?${new URLSearchParams({ group_by: group, ...days, ...of })}`;
  const left = useGet<Standings>(`/me/limits${tenant ? `?tenant_id=${tenant}` : ""}`, OFTEN);
  const byDay = useGet<Usage>(path("day,model"), POLL);
  const byModel = useGet<Usage>(path("model"), POLL);
  const byKey = useGet<Usage>(path("key"), POLL);
  const rows: Rows = (query) => `/app/me/requests?${new URLSearchParams({ ...days, ...of, ...query })}`;
  return (
    <>
      <div class="head">
        <h1>Overview</h1>
        <span class="push" />
        <CopyCurl command={curl(path("day,model"))} />
        <Scope />
      </div>
      <PeriodChoice period={period} />
      <Problem of={byDay} />
      <Totals usage={byDay.data} href={rows({})} csv={`${path("day,model")}&format=csv`} />
      <div class="two">
        {byDay.data?.total.requests === 0 && !tenant ? <FirstSteps /> : <section class="card"><h2>Cost by day and model</h2><CostByDay usage={byDay.data} days={dayList(period)} href={(day) => rows({ from: day, to: day })} /></section>}
        <section class="card" aria-label="What is left">
          <h2>What is left</h2>
          <Problem of={left} />
          <Left found={left.data} rows={spentRows} none="You have no budget and no limit here." />
        </section>
      </div>
      {known(left) && (
        <div class="two even">
          <section class="card"><h2>Models</h2><Shares usage={byModel.data} by="model" rows={rows} none="none" /></section>
          {known(byModel) && <section class="card"><h2>Keys</h2><Shares usage={byKey.data} by="key" rows={rows} none="the chat" /></section>}
        </div>
      )}
    </>
  );
}

/** The requests that a budget's sum is made of: of calendar periods, where one may see all that count. */
function spentRows(one: Standing): string | null {
  if (!one.period_start || !one.timezone || one.models) return null;
  const { kind, id } = one.subject;
  const [place = "", who = ""] = id.split("/");
  const whole = (tenant: string): boolean => wholeTenants().some((known) => known.id === tenant) || session.value?.tenants.some((known) => known.id === tenant && known.kind === "personal") === true;
  const of: Readonly<Record<string, string>> | null =
    kind === "user" ? {} : kind === "key" ? { key_id: id } : kind === "member" ? { tenant_id: place, ...(whole(place) ? { user_id: who } : {}) } : kind === "tenant" && whole(id) ? { tenant_id: id } : null;
  if (!of) return null;
  const zone = one.timezone;
  return `/app/me/requests?${new URLSearchParams({ from: dayOf(Date.parse(one.period_start), zone), to: dayOf(Date.now(), zone), timezone: zone, ...of })}`;
}

function Totals({ usage, href, csv }: { readonly usage: Usage | undefined; readonly href: string; readonly csv: string }) {
  const total = usage?.total;
  return (
    <section class="cards" aria-label="Totals">
      <a class="card stat" href={href}><span>Cost</span><strong>{total ? usd(total.cost_usd) : "–"}</strong><small>{total ? (total.unpriced_requests ? `${whole(total.unpriced_requests)} requests without a price` : "every request has a price") : "…"}</small></a>
      <a class="card stat" href={href}><span>Requests</span><strong>{total ? brief(total.requests) : "–"}</strong><small>{total ? `${whole(total.estimated_requests)} with tokens that were counted here` : "…"}</small></a>
      <a class="card stat" href={href}><span>Tokens</span><strong>{total ? brief(total.input_tokens + total.output_tokens) : "–"}</strong><small>{total ? `${brief(total.input_tokens)} in, ${brief(total.output_tokens)} out` : "…"}</small></a>
      <a class="card stat" href={csv} download="usage.csv"><span>As a file</span><strong>CSV</strong><small>by day and model</small></a>
    </section>
  );
}

function CostByDay({ usage, days, href }: { readonly usage: Usage | undefined; readonly days: readonly string[]; readonly href: (day: string) => string }) {
  if (!usage) return <NoColumns />;
  if (days.length > 366) return <NoColumns><Empty>A chart has at most 366 days.</Empty></NoColumns>;
  const spent = new Map<string, number>();
  for (const row of usage.data) spent.set(row.model ?? "none", (spent.get(row.model ?? "none") ?? 0) + Number(row.cost_usd));
  const names = [...spent.keys()].sort((a, b) => spent.get(b)! - spent.get(a)!);
  const shown = names.slice(0, names.length > 6 ? 5 : 6);
  const value = (day: string, wanted: (name: string) => boolean): number =>
    usage.data.filter((row) => row.day === day && wanted(row.model ?? "none")).reduce((sum, row) => sum + Number(row.cost_usd), 0);
  const series = shown.map((name) => ({ name, values: days.map((day) => value(day, (one) => one === name)) }));
  if (names.length > shown.length) series.push({ name: "other", values: days.map((day) => value(day, (one) => !shown.includes(one))) });
  if (series.length === 0) return <NoColumns><Empty>Nothing was asked in this period.</Empty></NoColumns>;
  return <Columns label="Cost by day and model, in USD" days={days} series={series} show={(cost) => usd(String(cost))} href={href} />;
}

interface SharesProps {
  readonly usage: Usage | undefined;
  readonly by: "model" | "key";
  readonly rows: Rows;
  /** What has neither. */
  readonly none: string;
}

/** The eight that cost most, each a link to its requests. */
function Shares({ usage, by, rows, none }: SharesProps) {
  const all = (usage?.data ?? []) as readonly (Usage["data"][number] & Readonly<Record<string, unknown>>)[];
  const most = [...all].sort((a, b) => Number(b.cost_usd) - Number(a.cost_usd) || b.requests - a.requests).slice(0, 8);
  const top = Math.max(1e-12, ...most.map((row) => Number(row.cost_usd)));
  const id = (row: (typeof most)[number]): string | null => (row[by] as string | null | undefined) ?? null;
  if (usage && most.length === 0) return <Empty>Nothing yet.</Empty>;
  return (
    <ul class="list">
      {most.map((row) => (
        <li key={id(row)}>
          {id(row) ? <a href={rows({ [by === "key" ? "key_id" : by]: id(row)! })} dir="auto">{String(row[`${by}_name`] ?? id(row))}</a> : <span>{none}</span>}
          <span>{row.unpriced_requests === row.requests ? "unpriced" : usd(row.cost_usd)} · {brief(row.requests)} requests</span>
          <span class="meter"><i style={{ width: `${(Number(row.cost_usd) / top) * 100}%` }} /></span>
        </li>
      ))}
    </ul>
  );
}

function FirstSteps() {
  return (
    <section class="card">
      <h2>Nothing was asked yet</h2>
      <NoColumns>
        <ol class="first">
          <li><a href="/app">Ask something in the chat</a></li>
          <li><a href="/app/me/keys?open=new">Make a key for a program</a>, and use the snippet that comes with it</li>
        </ol>
      </NoColumns>
    </section>
  );
}
