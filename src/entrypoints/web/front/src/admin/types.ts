import type { Owned } from "../shared/owner";
export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
  /** Of lists that grow: what is newer comes after it. */
  readonly previous_cursor?: string | null;
}

export interface Sums {
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly reasoning_tokens: number;
  readonly cost_usd: string;
  readonly savings_usd: string;
  /** Of a total: where the savings lie with 95 %, as far as requests were held out. */
  readonly savings_interval_usd?: readonly [string, string];
  readonly estimated_requests: number;
  readonly unpriced_requests: number;
  readonly inexact_requests: number;
  readonly cost_missing: readonly string[];
  readonly error_requests?: number;
  readonly refused_requests?: number;
  readonly latency_ms?: Percentiles;
  readonly ttft_ms?: Percentiles;
}

/** Milliseconds by share of the requests; null where none had any. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

type Group = "day" | "hour" | "model" | "provider" | "key" | "task" | "tenant" | "user" | "endpoint" | "end_user" | "session" | "device" | "route" | "tag";

/** A group's id, and what people call it where the gateway knows. */
export type UsageRow = Sums & { readonly [name in Group | `${Group}_name`]?: string | null };

export interface Usage {
  readonly data: readonly UsageRow[];
  readonly total: Sums;
}

/** What a provider gives away, as far as it is known, and who says so. */
export interface FreeTier {
  readonly kind: string;
  readonly summary: string;
  readonly card_needed: boolean | null;
  readonly as_of: string | null;
  readonly source: string;
  readonly outdated: boolean;
}

export interface Provider {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly base_url: string | null;
  readonly priority: number;
  readonly enabled: boolean;
  readonly owner: string;
  readonly read_only: boolean;
  readonly status: string;
  readonly available_at: string | null;
  readonly reason: string;
  readonly keys: number;
  readonly quotas?: readonly QuotaStanding[];
  readonly free_tier: FreeTier | null;
}

export interface QuotaStanding {
  readonly pool: string | null;
  readonly models: readonly string[];
  readonly dimension: string;
  readonly window: string;
  readonly limit: number | null;
  readonly used: number | null;
  readonly remaining: number | null;
  readonly resets_at: string | null;
  readonly forecast_exhausted_at: string | null;
  readonly source: string;
  readonly as_of: string | null;
  readonly enforced: boolean;
}

export interface RestingModel {
  readonly model: string;
  readonly status: string;
  readonly available_at: string | null;
  readonly reason: string;
}

export interface ProviderKey {
  readonly id: string;
  readonly label: string;
  readonly weight: number;
  readonly last4: string;
  readonly status: string;
  readonly available_at: string | null;
  readonly reason: string;
  readonly owner: string;
  readonly resting_models: readonly RestingModel[];
  readonly quotas: readonly QuotaStanding[];
}

export interface ProviderKind {
  readonly id?: string;
  readonly kind?: string;
  readonly name?: string;
}

export interface Attempt {
  readonly number: number;
  readonly provider: string;
  readonly provider_name?: string | null;
  readonly key_id: string | null;
  readonly key_name?: string | null;
  readonly model: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly message: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly reasoning_tokens: number;
  readonly usage_source: string;
  readonly price_id: string | null;
  readonly cost_usd: string | null;
  readonly cost_missing: readonly string[];
  readonly computed_cost_usd: string | null;
  readonly reported_cost_usd: string | null;
}

export interface Entry {
  readonly id: string;
  readonly decision_id: string;
  readonly created_at: string;
  readonly tenant_id: string;
  readonly tenant_name?: string | null;
  readonly key_id: string | null;
  readonly key_name?: string | null;
  readonly user_id: string | null;
  readonly user_name?: string | null;
  readonly tags: readonly string[];
  readonly end_user: string | null;
  readonly session: string | null;
  readonly device: string | null;
  readonly task: string | null;
  readonly refused_by: { readonly kind: string; readonly id: string } | null;
  readonly would_refuse: readonly { readonly kind: string; readonly id: string }[];
  readonly endpoint: string;
  readonly requested_model: string;
  readonly provider: string | null;
  readonly provider_name?: string | null;
  readonly model: string | null;
  readonly status: number;
  readonly outcome: string;
  readonly error_code: string | null;
  readonly stream: boolean;
  readonly attempts: readonly Attempt[];
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly reasoning_tokens: number;
  readonly cache_write_tokens: number;
  readonly usage_source: string;
  readonly cost_usd: string | null;
  readonly cost_exact: boolean;
  readonly route: string | null;
  readonly savings_usd: string | null;
  readonly cost_missing: readonly string[];
  readonly latency_ms: number;
  readonly ttft_ms: number | null;
}

export interface VirtualKey extends Owned {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly status: string;
  readonly last4: string;
  readonly allowed_models: readonly string[] | null;
  readonly expires_at: string | null;
  readonly last_used_at?: string | null;
  readonly created_at: string;
}

export interface LedgerHealth {
  readonly writable: boolean;
  readonly waiting_records: number;
  readonly lag_seconds: number;
  readonly spool_bytes: number;
  readonly torn_records: number;
  readonly dropped_records: number;
}

export interface Health {
  readonly status: "ok" | "degraded";
  readonly version: string;
  readonly uptime_seconds: number;
  readonly config_version: number;
  readonly database: { readonly status: "ok" | "away" };
  readonly limits: { readonly store: string; readonly status: "ok" | "away" };
  readonly idempotency: { readonly answers: number; readonly bytes: number; readonly replays: number } | null;
  readonly usage: LedgerHealth;
  readonly providers: readonly ProviderHealth[];
}

export interface ProviderHealth {
  readonly id: string;
  readonly status: string;
  readonly available_at: string | null;
  readonly reason: string;
  readonly breaker: "closed" | "open";
  readonly keys: number;
  readonly keys_available: number;
}

/** USD by meter, as decimal strings. */
export type Rates = Readonly<Record<string, unknown>> & { readonly fees?: Readonly<Record<string, string>> };
export type Tier = Rates & { readonly above_input_tokens: number };
export type PriceList = Rates & { readonly tiers?: readonly Tier[]; readonly variants?: Readonly<Record<string, Rates & { readonly tiers?: readonly Tier[] }>> };

export interface PricedModel extends Owned {
  readonly provider: string;
  readonly model: string;
  readonly owned_by: string;
  readonly context_window: number | null;
  readonly capabilities: readonly string[];
  readonly prices: PriceList | null;
  readonly units?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly source: string | null;
  readonly effective_from: string | null;
  readonly price_id: string | null;
  readonly deprecated_at: string | null;
  readonly retired_at: string | null;
  readonly successor: string | null;
  readonly latency_ms?: Percentiles | null;
  readonly ttft_ms?: Percentiles | null;
  readonly tokens_per_second?: number | null;
}
