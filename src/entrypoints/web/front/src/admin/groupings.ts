import { hourName } from "../shared/format";
import type { UsageRow } from "./types";

/** What usage can be grouped by, in words, and the filter of the request log that finds a group's rows. */
export const GROUPINGS = [
  { name: "day", title: "Day", filter: "" },
  { name: "hour", title: "Hour", filter: "" },
  { name: "model", title: "Model", filter: "model" },
  { name: "provider", title: "Provider", filter: "provider" },
  { name: "key", title: "Virtual key", filter: "key_id" },
  { name: "user", title: "User", filter: "user_id" },
  { name: "tenant", title: "Tenant", filter: "tenant_id" },
  { name: "endpoint", title: "Endpoint", filter: "endpoint" },
  { name: "task", title: "Task", filter: "task" },
  { name: "route", title: "Route", filter: "route" },
  { name: "tag", title: "Tag", filter: "tag" },
  { name: "end_user", title: "End user", filter: "end_user" },
  { name: "session", title: "Session", filter: "session" },
  { name: "device", title: "Device", filter: "device" },
] as const;

export type Grouping = (typeof GROUPINGS)[number]["name"];

export const isGrouping = (name: string | null): name is Grouping => GROUPINGS.some((one) => one.name === name);
export const groupingOf = (name: Grouping) => GROUPINGS.find((one) => one.name === name)!;

/** Of few values each: these may be told apart in a chart by day. */
export const FEW: readonly Grouping[] = ["model", "provider", "key", "user", "tenant", "endpoint", "task", "route"];

/** The filters that sums and the request log share. */
export const SHARED_FILTERS = ["tenant_id", "key_id", "user_id", "provider", "model", "endpoint", "task", "route", "tag", "end_user", "session", "device"] as const;

/** A group in words: its name where the gateway gives one, else its id, else that it has none. */
export function groupName(row: UsageRow, by: Grouping, zone = "UTC"): string {
  if (by === "hour") return row.hour ? hourName(row.hour, zone) : "none";
  return row[`${by}_name`] ?? row[by] ?? "none";
}

/** Which rows of the log are behind a group: null where the log cannot tell them apart. */
export function rowsOf(row: UsageRow, by: readonly Grouping[], shared: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  const found: Record<string, string> = { ...shared };
  for (const one of by) {
    const value = row[one];
    const { filter } = groupingOf(one);
    if (one === "hour" && value) Object.assign(found, { from: value, to: new Date(Date.parse(value) + 3_600_000).toISOString() });
    else if (one === "day" && value) found["from"]?.includes("T") || Object.assign(found, { from: value, to: value });
    else if (filter && value) found[filter] = value;
    else return null;
  }
  return found;
}

export const requestsLink = (params: Readonly<Record<string, string>>): string => `/app/admin/requests?${new URLSearchParams(params)}`;

/** Change of a number against what is compared with, as "+12 %": null where there is nothing to compare with. */
export function changeOf(now: number, before: number): string | null {
  if (before === 0) return now === 0 ? "±0 %" : null;
  const percent = ((now - before) / before) * 100;
  return `${percent > 0 ? "+" : percent < 0 ? "−" : "±"}${new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(Math.abs(percent))} %`;
}
