/** What a change was of, as the audit says it. */
export interface AuditObject {
  readonly kind: string;
  readonly id: string;
}

interface Change {
  readonly field: string;
  readonly old: unknown;
  readonly new: unknown;
}

const opens =
  (page: string) =>
  (id: string): string =>
    `/app/admin/${page}?open=${encodeURIComponent(id)}`;

/** Reads that leave a trace, as `GET /admin/usage`, and where one reads the same. */
const READ: Readonly<Record<string, string>> = { usage: "usage", requests: "requests", audit: "audit" };

/** Every kind of object that the audit knows; one that is missing has no page. A provider's key is looked for among theirs. */
const PAGES: Readonly<Record<string, (id: string) => string | null>> = {
  virtual_key: opens("keys"),
  provider: opens("providers"),
  price: opens("models"),
  price_catalog: () => "/app/admin/models",
  model: opens("models"),
  provider_key: (id) => `/app/admin/providers?key=${encodeURIComponent(id)}`,
  limit: opens("limits"),
  budget: opens("budgets"),
  admin_token: opens("tokens"),
  alert_channel: opens("alerts"),
  alert_rule: opens("alerts"),
  alert_delivery: opens("alerts"),
  model_group: () => "/app/admin/settings#model-groups",
  setting: (id) => `/app/admin/settings#${encodeURIComponent(id)}`,
  operation: (id) => {
    const page = READ[id.split("/")[2] ?? ""];
    return page === undefined ? null : `/app/admin/${page}`;
  },
  route: opens("routes"),
  tenant: opens("tenants"),
  member: (id) => opens("tenants")(id.split("/")[0]!),
  user: opens("users"),
  invite: opens("users"),
  link: opens("users"),
  password: opens("users"),
};

/** Where an object is shown; null where no page shows its kind. A provider's key is with its provider, at once where the entry says which. */
export function pageOf(object: AuditObject, changes: readonly Change[]): string | null {
  if (object.kind === "provider_key") {
    const provider = changes.find((one) => one.field === "provider_id");
    if (provider) return opens("providers")(String(provider.new ?? provider.old));
  }
  return Object.hasOwn(PAGES, object.kind) ? PAGES[object.kind]!(object.id) : null;
}

const ACTORS: Readonly<Record<string, string>> = { user: "users", admin_token: "tokens", key: "keys", virtual_key: "keys" };

/** Where it is shown who made a change; null for the gateway itself, and for the token of its environment. */
export const actorPage = ({ kind, id }: AuditObject): string | null => (Object.hasOwn(ACTORS, kind) && id && id !== "platform" ? opens(ACTORS[kind]!)(id) : null);
