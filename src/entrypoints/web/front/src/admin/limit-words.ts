import { ahead, usd, whole } from "../shared/format";
import type { Subject } from "./subjects";

/** One of what a request would meet, as `GET /admin/limits/explain` tells it. */
export interface Met {
  readonly subject: Subject & { readonly name: string };
  readonly limit: number | string;
  readonly used: number | string;
  readonly held: number | string;
  readonly remaining: number | string;
  readonly unit: string;
  readonly period_end: string | null;
  readonly source: string;
  readonly refuses: boolean;
}

export interface Explained {
  readonly limits: readonly Met[];
  readonly budgets: readonly Met[];
}

export const UNITS: Readonly<Record<string, string>> = {
  rpm: "requests a minute", rpd: "requests a day", tpm: "tokens a minute", tpd: "tokens a day",
  itpm: "tokens in a minute", otpm: "tokens out a minute", parallel: "requests at once",
}; // prettier-ignore

/** "48 of 60 requests a minute left", "$21.65 of $25.00 left". */
export const leftInWords = ({ unit, remaining, limit }: Met): string =>
  unit === "usd" ? `${usd(String(remaining))} of ${usd(String(limit))} left` : `${whole(Number(remaining))} of ${whole(Number(limit))} ${UNITS[unit] ?? unit} left`;

export const shareLeft = ({ remaining, limit }: Met): number => (Number(limit) <= 0 ? 0 : Math.max(0, Math.min(1, Number(remaining) / Number(limit))));

const SOURCES: Readonly<Record<string, string>> = { field: "set at its object", rule: "set on this page", default: "the default of the settings" };

const held = ({ held: value, unit }: Met): string => (Number(value) === 0 ? "" : `${unit === "usd" ? usd(String(value)) : whole(Number(value))} held`);

/** Where a limit slides, it has room again little by little; a day's and a period's begin anew at a moment. */
export function roomAgain(met: Met, now = Date.now()): string {
  if (met.period_end) return `anew ${ahead(met.period_end, now)}`;
  if (met.unit === "parallel") return "free when one of them ends";
  return met.unit === "usd" ? "does not begin anew by the calendar" : "slides by the second";
}

/** What is held, when there is room again, and who says so. */
export const facts = (met: Met, now = Date.now()): string => [held(met), roomAgain(met, now), SOURCES[met.source] ?? met.source].filter(Boolean).join(" · ");

/** What would become of a request: the first that refuses, in words, or none. */
export function verdict(explained: Explained): string {
  const refusing = [...explained.limits, ...explained.budgets].filter((one) => one.refuses);
  const [first] = refusing;
  if (!first) return explained.limits.length + explained.budgets.length === 0 ? "No limit and no budget applies: nothing here would refuse a request." : "Nothing here would refuse a request now.";
  const others = refusing.length > 1 ? `, and ${refusing.length - 1} more` : "";
  return `A request would be refused: ${leftInWords(first)} of ${first.subject.kind.replaceAll("_", " ")} ${first.subject.name}${others}.`;
}
