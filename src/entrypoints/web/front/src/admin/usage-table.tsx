import { go } from "../shared/address";
import { seconds, usd, whole } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { isNarrow } from "../shared/narrow";
import { changeOf, groupName, groupingOf, requestsLink, rowsOf, type Grouping } from "./groupings";
import type { Usage, UsageRow } from "./types";

interface Line {
  readonly id: string;
  readonly row: UsageRow;
  readonly before: UsageRow | undefined;
  readonly href: string | null;
}

const idOf = (row: UsageRow, by: readonly Grouping[]): string => JSON.stringify(by.map((one) => row[one] ?? null));
const late = (line: Line): string => (typeof line.row.latency_ms?.p95 === "number" ? seconds(line.row.latency_ms.p95) : "–");

const NUMBERS: readonly Column<Line>[] = [
  { key: "requests", title: "Requests", width: "72px", end: true, cell: ({ row }) => whole(row.requests) },
  { key: "failed", title: "Failed", width: "56px", end: true, cell: ({ row }) => (row.error_requests === undefined ? "–" : whole(row.error_requests)) },
  { key: "in", title: "In", width: "84px", end: true, cell: ({ row }) => whole(row.input_tokens) },
  { key: "out", title: "Out", width: "76px", end: true, cell: ({ row }) => whole(row.output_tokens) },
  { key: "late", title: "p95", width: "60px", end: true, cell: late },
  { key: "cost", title: "Cost", width: "92px", end: true, cell: ({ row }) => (row.requests > 0 && row.unpriced_requests === row.requests ? "unpriced" : usd(row.cost_usd)) },
];
const SAVED: Column<Line> = { key: "saved", title: "Saved", width: "84px", end: true, cell: ({ row }) => usd(row.savings_usd) };
const CHANGE: Column<Line> = { key: "change", title: "Change", width: "68px", end: true, cell: ({ row, before }) => (before ? (changeOf(Number(row.cost_usd), Number(before.cost_usd)) ?? "–") : "new") };

const nameColumn = (by: Grouping, width: string, zone: string): Column<Line> => ({
  key: by, title: groupingOf(by).title, width,
  cell: ({ row, href }) => (href ? <a href={href} tabIndex={-1} dir="auto">{groupName(row, by, zone)}</a> : <span dir="auto">{groupName(row, by, zone)}</span>),
}); // prettier-ignore

interface Props {
  readonly by: readonly Grouping[];
  readonly now: Usage | undefined;
  readonly before: Usage | undefined;
  readonly shared: Readonly<Record<string, string>>;
  readonly zone: string;
}

/** A line for each group, the dearest first; days in their order. Each leads to its rows. */
export function UsageTable({ by, now, before, shared, zone }: Props) {
  const earlier = new Map(before?.data.map((row) => [idOf(row, by), row]));
  const lines = (now?.data ?? []).map((row): Line => {
    const params = rowsOf(row, by, shared);
    return { id: idOf(row, by), row, before: earlier.get(idOf(row, by)), href: params && requestsLink(params) };
  });
  const timed = by[0] === "day" || by[0] === "hour";
  if (!timed) lines.sort((a, b) => Number(b.row.cost_usd) - Number(a.row.cost_usd) || b.row.requests - a.row.requests);
  const compared = before && !timed;
  const wide = [...by.map((one) => nameColumn(one, "minmax(130px, 2fr)", zone)), ...NUMBERS, ...(by.includes("route") ? [SAVED] : []), ...(compared ? [CHANGE] : [])];
  const small = [nameColumn(by.at(-1)!, "minmax(0, 1fr)", zone), { ...NUMBERS[0]!, width: "72px" }, { ...NUMBERS.at(-1)!, width: "84px" }];
  return <Grid label="Usage by group" columns={isNarrow.value ? small : wide} rows={lines} onOpen={(line) => line.href && go(line.href)} onEnd={() => undefined} />;
}
