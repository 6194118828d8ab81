import type { Field } from "../shared/changes";
import type { Owned } from "../shared/owner";
import { requestsLink } from "./groupings";

export interface Channel extends Owned {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly url: string | null;
  readonly to: readonly string[];
  readonly enabled: boolean;
  readonly fingerprint: string | null;
}

export interface Rule extends Owned {
  readonly id: string;
  readonly event: string;
  readonly threshold: number | null;
  readonly cooldown_seconds: number;
  readonly channels: readonly string[];
  readonly enabled: boolean;
}

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly channel_id: string;
  readonly rule_id: string | null;
  readonly status: string;
  readonly attempts: number;
  readonly error: string;
  readonly created_at: string;
  readonly next_attempt_at: string | null;
  readonly delivered_at: string | null;
  readonly body: {
    readonly id: string;
    readonly subject: { readonly kind: string; readonly id: string; readonly name: string };
    readonly text: string;
    readonly threshold: number | null;
    readonly value: number | string | null;
    readonly limit: number | string | null;
    readonly period_end: string | null;
  };
}

type Unit = "share" | "days" | "none";

/** Every event in words: what it tells of, what its threshold counts, and the one it has where a rule says none. */
export const EVENTS: readonly (readonly [string, string, Unit, string])[] = [
  ["budget_threshold", "A budget is nearly used up", "share", "the budget's own, and all of it"],
  ["provider_down", "A provider is down", "none", "none"],
  ["quota_low", "A quota is nearly used up", "share", "90 %"],
  ["error_rate", "Many calls of a provider fail", "share", "50 %"],
  ["key_expiring", "A virtual key is about to end", "days", "7 days"],
  ["model_retiring", "A model in use is about to end", "days", "30 days"],
  ["cost_drift", "A provider charges something else than its prices say", "share", "5 %"],
]; // prettier-ignore

export const eventTitle = (event: string): string => (event === "test" ? "A test" : (EVENTS.find(([name]) => name === event)?.[1] ?? event.replaceAll("_", " ")));

/** "at 80 %", "7 days before", or the event's own. */
export function thresholdInWords(event: string, threshold: number | null): string {
  const [, , unit, own] = EVENTS.find(([name]) => name === event) ?? ["", "", "share", "its own"];
  if (unit === "none") return "as soon as it is";
  if (threshold === null) return unit === "days" ? `${own} before` : `at ${own}`;
  return unit === "days" ? `${threshold} days before` : `at ${Math.round(threshold * 1000) / 10} %`;
}

export const channelName = (channels: readonly Channel[], id: string): string => {
  const found = channels.find((one) => one.id === id);
  return found ? found.name || whereto(found) : `${id}, which is gone`;
};

/** Where a channel leads. */
export const whereto = (channel: Channel): string => channel.url ?? channel.to.join(", ");

/** What an alert is about, on the page that shows it. */
export function aboutPage({ kind, id }: { readonly kind: string; readonly id: string }, event: string): string | null {
  if (event === "budget_threshold") return `/app/admin/budgets?${new URLSearchParams({ kind, find: id })}`;
  const opened = (page: string): string => `/app/admin/${page}?${new URLSearchParams({ open: id })}`;
  if (event === "error_rate" && kind === "provider") return requestsLink({ provider: id, outcome: "error", days: "1" });
  const pages: Readonly<Record<string, string>> = { provider: "providers", key: "keys", model: "models", tenant: "tenants", user: "users" };
  return Object.hasOwn(pages, kind) ? opened(pages[kind]!) : null;
}

/** Of each kind of channel its fields; a secret is not among them, since it is never shown. */
export const CHANNEL_FIELDS: Readonly<Record<string, readonly Field[]>> = {
  webhook: [{ name: "url", label: "Address", read: (text) => text.trim() }],
  email: [{ name: "to", label: "To", hint: "Addresses, with spaces between.", write: (value) => (value as readonly string[]).join(" "), read: (text) => text.split(/[\s,]+/).filter(Boolean) }],
}; // prettier-ignore
