/** A routing decision, as `/admin/decisions/{id}` and a dry run answer it. */
export interface Decision {
  readonly id: string | null;
  readonly request_id: string | null;
  readonly created_at: string;
  readonly requested_model: string;
  readonly route: string | null;
  readonly strategy: string;
  readonly policy_version: number;
  readonly task: { readonly name: string | null; readonly confidence: number; readonly source: string } | null;
  readonly candidates: readonly DecisionCandidate[];
  readonly left_out: number;
  readonly baseline: { readonly model: string; readonly cost_usd: string | null; readonly price_id: string | null } | null;
  readonly holdout: boolean;
  readonly affinity: string | null;
  readonly savings_usd: string | null;
}

export interface DecisionCandidate {
  readonly provider: string;
  readonly model: string;
  readonly chosen: boolean;
  readonly excluded_by: string | null;
  readonly score: number | null;
  readonly parts: Parts | null;
  readonly estimated_cost_usd: string | null;
}

export interface Parts {
  readonly quality: number | null;
  readonly cost: number | null;
  readonly latency: number | null;
  readonly health: number | null;
  readonly cache: number | null;
  readonly quality_assumed: boolean;
}

export const PART_NAMES = ["quality", "cost", "latency", "health", "cache"] as const;

const RULES: Readonly<Record<string, string>> = {
  context_window: "the prompt does not fit its context window",
  region: "it is not known to keep data in the required regions",
  no_training: "it is not known not to train on what it gets",
  retired: "the model has ended",
  not_allowed: "the key may not use it",
  unavailable: "it rested, or a cap was reached",
  "when:tenants": "it is for other tenants",
  "when:keys": "it is for other keys",
  "when:tags": "it is for requests with another tag",
  "when:tasks": "it is for another task",
  "when:hours": "it is for other hours",
  "when:min_input_tokens": "the prompt is too short for it",
  "when:max_input_tokens": "the prompt is too long for it",
};

/** Why a candidate was passed over; a rule that is not known here is shown as it is. */
export function excludedInWords(rule: string): string {
  if (Object.hasOwn(RULES, rule)) return RULES[rule]!;
  const [kind, what = ""] = [rule.split(":", 1)[0]!, rule.slice(rule.indexOf(":") + 1)];
  if (kind === "capability") return `it is not known to do ${what.replaceAll("_", " ")}`;
  if (kind === "failed") return `it was asked and failed: ${what.replaceAll("_", " ")}`;
  return rule.replaceAll("_", " ");
}

const AFFINITY: Readonly<Record<string, string>> = {
  new: "the conversation was new",
  "stay:tool_loop": "it stayed where its tools are at work",
  "stay:reasoning": "it stayed where its reasoning is signed",
  "stay:best": "it stayed: who had it is the best choice too",
  "stay:cache": "it stayed where its cache is",
  "free:expired": "its cache had expired, so that it was free to move",
  "switch:not_there": "it moved: who had it cannot serve this request",
  "switch:down": "it moved: who had it is not available",
  "switch:pays": "it moved: elsewhere is cheaper even without the cache",
};

export const affinityInWords = (why: string): string => (Object.hasOwn(AFFINITY, why) ? AFFINITY[why]! : why.replaceAll("_", " "));

const READERS: Readonly<Record<string, string>> = { request: "as the request says", heuristic: "as its text reads", model: "as a model reads it" };

/** What the request was taken to be for, how surely, and by whose word. */
export function taskInWords(task: NonNullable<Decision["task"]>): string {
  const sure = task.source === "request" ? "" : `, ${Math.round(task.confidence * 100)} % sure`;
  return `${task.name?.replaceAll("_", " ") ?? "not told"}${task.name === null ? "" : sure}, ${READERS[task.source] ?? task.source}`;
}

/** What stands beside a candidate: that it was taken, why not, or that it would have been next. */
export function standing(one: DecisionCandidate, dry: boolean): { readonly state: "ok" | "degraded" | "waiting"; readonly word: string; readonly why: string } {
  if (one.chosen && one.excluded_by) return { state: "degraded", word: "first", why: excludedInWords(one.excluded_by) };
  if (one.chosen) return { state: "ok", word: dry ? "would serve" : "chosen", why: "" };
  if (one.excluded_by) return { state: "degraded", word: "passed over", why: excludedInWords(one.excluded_by) };
  return { state: "waiting", word: dry ? "would be next" : "not needed", why: "" };
}
