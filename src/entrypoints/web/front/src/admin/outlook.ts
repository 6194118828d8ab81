import { ahead, usd } from "../shared/format";
import { quotaWords, shareLeft } from "./quota-words";
import type { Provider, QuotaStanding } from "./types";

/** A budget with what is spent and left of it, as `/admin/budgets` lists it. */
export interface StandingBudget {
  readonly id: string | null;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly subject_name?: string | null;
  readonly limit_usd: string;
  readonly period: string;
  readonly spent_usd: string;
  readonly held_usd: string;
  readonly remaining_usd: string;
  readonly period_start: string | null;
  readonly period_end: string | null;
}

/** Something that can run out: what is left of it, and when it will be gone at the rate of late. */
export interface Ending {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly href: string;
  /** What is left, in words. */
  readonly left: string;
  /** From 0 to 1. */
  readonly share: number;
  /** Milliseconds since 1970; null where it will not be gone before it begins anew, or nobody knows. */
  readonly goneAt: number | null;
  readonly anewAt: string | null;
}

const PERIODS: Readonly<Record<string, string>> = { day: "today", week: "this week", month: "this month", rolling_5h: "of 5 hours", rolling_7d: "of 7 days", rolling_30d: "of 30 days", never: "in all" };

/** At the rate of its period so far; a window that rolls has no beginning to reckon from. */
function budgetGone(one: StandingBudget, now: number): number | null {
  if (one.period_start === null) return null;
  const [passed, spent, left] = [now - Date.parse(one.period_start), Number(one.spent_usd), Number(one.remaining_usd)];
  if (passed <= 0 || spent <= 0) return null;
  const gone = now + (Math.max(0, left) / spent) * passed;
  return one.period_end === null || gone < Date.parse(one.period_end) ? gone : null;
}

function budgetEnding(one: StandingBudget, at: number, now: number): Ending {
  const { kind, id } = one.subject;
  const left = Math.max(0, Number(one.remaining_usd));
  return {
    key: `${kind} ${id} ${at}`,
    kind: kind.replaceAll("_", " "),
    name: one.subject_name ?? id,
    href: `/app/admin/budgets?${new URLSearchParams({ find: id })}`,
    left: `${usd(one.remaining_usd)} of ${usd(one.limit_usd)} left ${PERIODS[one.period] ?? one.period}`,
    share: Number(one.limit_usd) > 0 ? Math.min(1, left / Number(one.limit_usd)) : 0,
    goneAt: budgetGone(one, now),
    anewAt: one.period_end,
  };
}

function quotaEnding(provider: Provider, one: QuotaStanding, at: number): Ending {
  return {
    key: `${provider.id} ${at}`,
    kind: "provider",
    name: provider.name,
    href: `/app/admin/providers?open=${encodeURIComponent(provider.id)}`,
    left: [...(one.pool ? [one.pool] : []), quotaWords(one)].join(": "),
    share: shareLeft(one) ?? 1,
    goneAt: one.forecast_exhausted_at === null ? null : Date.parse(one.forecast_exhausted_at),
    anewAt: one.resets_at,
  };
}

/** All that can run out: what is gone first, then what will be gone soonest, then by the share that is left. */
export function endingsOf(budgets: readonly StandingBudget[], providers: readonly Provider[], now = Date.now()): readonly Ending[] {
  const quotas = providers.flatMap((provider) => (provider.quotas ?? []).filter((one) => shareLeft(one) !== null).map((one, i) => quotaEnding(provider, one, i)));
  const when = (one: Ending): number => (one.share === 0 ? -1 : (one.goneAt ?? Number.MAX_SAFE_INTEGER));
  return [...budgets.map((one, i) => budgetEnding(one, i, now)), ...quotas].sort((a, b) => when(a) - when(b) || a.share - b.share);
}

/** When it will be gone, or begins anew. */
export function endingInWords({ share, goneAt, anewAt }: Ending, now = Date.now()): string {
  const anew = anewAt === null ? "" : `anew ${ahead(anewAt, now)}`;
  if (share === 0) return anew ? `used up, ${anew}` : "used up";
  if (goneAt !== null) return `gone ${ahead(new Date(goneAt).toISOString(), now)} at this rate`;
  return anew;
}
