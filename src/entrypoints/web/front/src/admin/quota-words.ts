import { ahead, whole } from "../shared/format";
import type { QuotaStanding } from "./types";

const amount = (value: number, dimension: string): string => (dimension === "usd" ? `$${value}` : whole(value));

const SOURCES: Readonly<Record<string, string>> = { registry: "known of free accounts", admin: "set here", observed: "said by the provider" };

const WINDOWS: Readonly<Record<string, string>> = { once: "once", "5h": "in five hours", "7d": "a week", hour: "an hour" };

/** The share that is left, 0 to 1; null where nobody knows. */
export function shareLeft({ limit, remaining }: Pick<QuotaStanding, "limit" | "remaining">): number | null {
  return limit === null || remaining === null || limit <= 0 ? null : Math.max(0, Math.min(1, remaining / limit));
}

/** The one with the least left: null where none is known. */
export function tightest(quotas: readonly QuotaStanding[]): QuotaStanding | null {
  const known = quotas.filter((one) => shareLeft(one) !== null);
  return known.reduce<QuotaStanding | null>((least, one) => (least === null || shareLeft(one)! < shareLeft(least)! ? one : least), null);
}

/** "9 of 50 requests a day left". */
export function quotaWords(one: QuotaStanding): string {
  const unit = `${one.dimension.replaceAll("_", " ")} ${WINDOWS[one.window] ?? `a ${one.window}`}`;
  if (one.remaining === null) return one.limit === null ? `${unit}: no limit known` : `${amount(one.limit, one.dimension)} ${unit}`;
  return one.limit === null ? `${amount(one.remaining, one.dimension)} ${unit} left` : `${amount(one.remaining, one.dimension)} of ${amount(one.limit, one.dimension)} ${unit} left`;
}

/** When it begins anew, when it will be gone before, who says so, and whether it stops calls. */
export function quotaFacts(one: QuotaStanding, now = Date.now()): string {
  return [
    ...(one.pool ? [one.pool] : []),
    ...(one.models.length > 0 ? [one.models.join(", ")] : []),
    ...(one.resets_at ? [`anew ${ahead(one.resets_at, now)}`] : []),
    ...(one.forecast_exhausted_at ? [`gone ${ahead(one.forecast_exhausted_at, now)} at this rate`] : []),
    SOURCES[one.source] ?? one.source,
    ...(one.enforced ? [] : ["orders keys, stops no call"]),
  ].join(" · ");
}
