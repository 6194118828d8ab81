import { MOST_SERIES, type Series } from "../shared/chart";
import { brief, usd } from "../shared/format";
import { groupName, type Grouping } from "./groupings";
import type { Sums, Usage, UsageRow } from "./types";

/** What a chart can show of usage. Money is a number here only to be drawn: what is written comes from the server. */
export const METRICS = {
  cost: { title: "Cost", of: (row: Sums) => Number(row.cost_usd), show: (value: number) => usd(String(value)) },
  requests: { title: "Requests", of: (row: Sums) => row.requests, show: brief },
  tokens: { title: "Tokens", of: (row: Sums) => row.input_tokens + row.output_tokens, show: brief },
} as const;

export type Metric = keyof typeof METRICS;

export const metricOf = (name: string | null): Metric => (name !== null && Object.hasOwn(METRICS, name) ? (name as Metric) : "cost");

/** The day that a row is of, or the moment at which its hour begins. */
export const timeOf = (row: UsageRow): string => (row.hour ? new Date(row.hour).toISOString() : (row.day ?? ""));

/** One series for each of the largest groups, at most six, and what is left as "other". */
export function seriesOf(usage: Usage, times: readonly string[], group: Grouping | null, metric: Metric): readonly Series[] {
  const at = new Map(times.map((time, i) => [time, i]));
  const found = new Map<string, number[]>();
  for (const row of usage.data) {
    const index = at.get(timeOf(row));
    if (index === undefined) continue;
    const name = group ? groupName(row, group) : METRICS[metric].title;
    const values = found.get(name) ?? found.set(name, times.map(() => 0)).get(name)!;
    values[index]! += METRICS[metric].of(row);
  }
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const some = [...found].filter(([, values], i) => i === 0 || sum(values) > 0); // what is nothing all the time is not drawn
  const sorted = some.map(([name, values]) => ({ name, values })).sort((a, b) => sum(b.values) - sum(a.values) || (a.name < b.name ? -1 : 1));
  if (sorted.length <= MOST_SERIES) return sorted;
  const rest = sorted.slice(MOST_SERIES - 1);
  return [...sorted.slice(0, MOST_SERIES - 1), { name: "other", values: times.map((_, i) => sum(rest.map((one) => one.values[i]!))) }];
}
