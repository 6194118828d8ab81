import { LIST } from "../shared/changes";
import type { Field } from "../shared/changes";

/** Whom a limit or a budget is for. Of a member the id is `tenant/user`, of a model a pattern, of a tag its text. */
export interface Subject {
  readonly kind: string;
  readonly id: string;
}

/** Every kind in words, what its id is, and where the API lists them. */
export const SUBJECTS: readonly (readonly [string, string, string, string | null])[] = [
  ["key", "Virtual key", "A key's id.", "/admin/keys?limit=200"],
  ["tenant", "Tenant", "A tenant's id: all its keys together.", "/admin/tenants?limit=200"],
  ["member", "Member", "tenant/user: all keys of this person in this tenant.", null],
  ["user", "User", "A user's id: in all tenants together.", "/admin/users?limit=200"],
  ["tag", "Tag", "As requests carry it.", null],
  ["model", "Model", "A name or a pattern: openai/*, *:free.", null],
  ["provider", "Provider", "Once it is used up, others are asked.", "/admin/providers?limit=200"],
  ["provider_key", "Provider key", "Its id stands with the provider's keys.", null],
]; // prettier-ignore

export const kindTitle = (kind: string): string => SUBJECTS.find(([name]) => name === kind)?.[1] ?? kind.replaceAll("_", " ");

const opened = (page: string, id: string): string => `/app/admin/${page}?${new URLSearchParams({ open: id })}`;

/** Where a subject is shown; null where nothing shows its kind. */
export function subjectPage({ kind, id }: Subject): string | null {
  if (kind === "key") return opened("keys", id);
  if (kind === "tenant" || kind === "member") return opened("tenants", id.split("/")[0]!);
  if (kind === "user") return opened("users", id);
  return kind === "provider" ? opened("providers", id) : null;
}

/** Where the API has the object whose field a limit or a budget is; null for what has no such fields. */
export function subjectPath({ kind, id }: Subject): string | null {
  const [first, second] = id.split("/").map(encodeURIComponent) as [string, string?];
  if (kind === "key") return `/admin/keys/${encodeURIComponent(id)}`;
  if (kind === "tenant") return `/admin/tenants/${encodeURIComponent(id)}`;
  if (kind === "user") return `/admin/users/${encodeURIComponent(id)}`;
  return kind === "member" && second ? `/admin/tenants/${first}/members/${second}` : null;
}

const PATTERN = /[*!@?[\]]/;

/** The filters of the request log that find a subject's requests: null where it cannot tell them apart. */
export function subjectFilters({ kind, id }: Subject): Readonly<Record<string, string>> | null {
  const [tenant, user] = id.split("/") as [string, string?];
  if (kind === "key") return { key_id: id };
  if (kind === "tenant") return { tenant_id: id };
  if (kind === "user") return { user_id: id };
  if (kind === "member" && user) return { tenant_id: tenant, user_id: user };
  if (kind === "tag") return { tag: id };
  if (kind === "provider") return { provider: id };
  if (kind === "model" && id.endsWith("/*") && !PATTERN.test(id.slice(0, -2))) return { provider: id.slice(0, -2) };
  return kind === "model" && !id.includes("/") && !PATTERN.test(id) ? { model: id } : null;
}

/** Models as patterns, with spaces between; empty is every model. */
export const MODELS: Field = { name: "models", label: "Models", hint: "Whose cost counts: names or patterns, with spaces between. Empty: all.", ...LIST };
