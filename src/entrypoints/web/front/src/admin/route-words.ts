import { bodyOf, readOf, type Field } from "../shared/changes";
import { whole } from "../shared/format";

/** For which requests a target is there: all that is given must hold. */
export interface When {
  readonly tenants?: readonly string[];
  readonly keys?: readonly string[];
  readonly tags?: readonly string[];
  readonly tasks?: readonly string[];
  readonly min_input_tokens?: number;
  readonly max_input_tokens?: number;
  readonly hours?: string | readonly string[];
  readonly timezone?: string;
}

export interface Target {
  readonly model: string;
  readonly provider?: string;
  readonly weight?: number;
  readonly when?: When | null;
  readonly successor?: boolean;
  readonly mock?: Mock | null;
}

/** What a target answers by itself, without a provider. */
export interface Mock {
  readonly text?: string;
  readonly status?: number | null;
  readonly delay_seconds?: number;
}

export interface Require {
  readonly capabilities?: readonly string[];
  readonly regions?: readonly string[];
  readonly no_training?: boolean;
}

export interface RoutePolicy {
  readonly strategy: string;
  readonly targets: readonly Target[];
  readonly fallback_on: readonly string[] | null;
  readonly require: Require | null;
  readonly affinity: boolean;
  readonly baseline: string | null;
  readonly holdout_share: number;
}

export interface Route extends RoutePolicy {
  readonly alias: string;
  readonly owner: string;
  readonly version: number;
  readonly created_at: string;
  readonly updated_at: string;
}

export const STRATEGIES: Readonly<Record<string, string>> = {
  priority: "in the order as written",
  weighted: "shares by weight",
  least_latency: "the quickest of late first",
  lowest_cost: "the cheapest for this request first",
  auto: "by task, quality, cost and latency",
};

/** Why the next target is asked, in words; those of a route that names none are the first six. */
export const CAUSES = [
  ["error", "it fails or is away"],
  ["rate_limit", "its rate limit or quota is reached"],
  ["timeout", "a deadline passes before content"],
  ["context_window", "the prompt does not fit"],
  ["unsupported_parameter", "it cannot do what is asked"],
  ["spend_cap", "a credit or budget is used up"],
  ["content_policy", "a filter refuses the prompt"],
  ["refusal", "the answer itself says no"],
] as const;
export const USUAL_CAUSES: readonly string[] = CAUSES.slice(0, 6).map(([name]) => name);

export const TASKS = ["chat", "coding", "reasoning", "summarization", "translation", "image", "agent_step"] as const;

/** `provider/model`; of a model by itself that it is of every provider, of a mock that it is one. */
export const targetName = ({ provider, model, mock }: Target): string => (mock ? `${model} (mock)` : provider ? `${provider}/${model}` : `${model} (any provider)`);

const listed = (name: string, values: readonly string[] | undefined): readonly string[] => (values && values.length > 0 ? [`${name} ${values.join(" or ")}`] : []);

/** For which requests, in words; empty for all. */
export function whenInWords(when: When | null | undefined): string {
  if (!when) return "";
  const { min_input_tokens: least, max_input_tokens: most, hours } = when;
  const spans = typeof hours === "string" ? hours : hours?.join(", ");
  return [
    ...listed("task", when.tasks),
    ...listed("tag", when.tags),
    ...listed("tenant", when.tenants),
    ...listed("key", when.keys),
    ...(least === undefined && most === undefined ? [] : [least === undefined ? `up to ${whole(most!)} tokens` : most === undefined ? `from ${whole(least)} tokens` : `${whole(least)} to ${whole(most)} tokens`]),
    ...(spans ? [`${spans} ${when.timezone ?? "UTC"}`] : []),
  ].join(", ");
}

/** One target in a list of changes. */
const targetInWords = (one: Target): string => {
  const facts = [...(one.weight === undefined || one.weight === 1 ? [] : [`weight ${one.weight}`]), ...(whenInWords(one.when) ? [whenInWords(one.when)] : []), ...(one.successor ? ["or its successor"] : [])];
  return `${targetName(one)}${facts.length > 0 ? ` (${facts.join("; ")})` : ""}`;
};

export const targetsInWords = (value: unknown): string => (Array.isArray(value) ? (value as Target[]).map(targetInWords).join(", ") || "no target" : "no target");

export const causesInWords = (value: unknown): string => (Array.isArray(value) ? (value as string[]).map((one) => one.replaceAll("_", " ")).join(", ") || "never" : "the usual causes");

export function requireInWords(require: Require | null): string {
  if (!require) return "nothing";
  const { capabilities = [], regions = [], no_training: untrained } = require;
  return [...capabilities, ...(regions.length > 0 ? [`data stays in ${regions.join(" or ")}`] : []), ...(untrained ? ["nothing is trained on it"] : [])].join(", ") || "nothing";
}

/** What a field keeps as text: JSON of targets; what is none reads as no target. */
export function readTargets(text: string): readonly Target[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter((one): one is Target => typeof one === "object" && one !== null && typeof (one as Target).model === "string") : [];
  } catch {
    return [];
  }
}

export const writeTargets = (value: unknown): string => JSON.stringify(Array.isArray(value) ? (value as Target[]).map(plainTarget) : []);

/** Without what is as it would be anyway, so that equal targets are equal texts. */
export function plainTarget({ model, provider, weight, when, successor, mock }: Target): Target {
  const conditions = Object.fromEntries(Object.entries(when ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0))) as When;
  const { timezone = "UTC", ...others } = conditions;
  const kept = { ...others, ...(timezone === "UTC" ? {} : { timezone }) };
  return { ...(provider ? { provider } : {}), model, ...(weight === undefined || weight === 1 ? {} : { weight }), ...(Object.keys(kept).length > 0 ? { when: kept } : {}), ...(successor ? { successor } : {}), ...(mock ? { mock: given(mock) } : {}) };
}

const given = (mock: Mock): Mock => Object.fromEntries(Object.entries(mock).filter(([, value]) => value !== undefined && value !== null)) as Mock;

const asksNothing = (require: unknown): boolean => requireInWords(require as Require | null) === "nothing";

/** The policy that a form holds, of fields whose names may be `part.field`, over what it does not hold. */
export function policyOf(fields: readonly Field[], text: (name: string) => string, others: Partial<RoutePolicy> = {}): Readonly<Record<string, unknown>> {
  const changes = fields.map((field) => ({ field: field.name, old: null, new: readOf(field, text(field.name)) }));
  const policy = { ...others, ...bodyOf(changes, {}) } as Record<string, unknown>;
  return { ...policy, ...("require" in policy && asksNothing(policy["require"]) ? { require: null } : {}) };
}

/** What a form holds of a field; of a box whether it is ticked. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return value === "on" ? "true" : value === null ? "false" : String(value);
}
