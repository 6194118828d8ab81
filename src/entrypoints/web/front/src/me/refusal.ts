import type { Standing, Standings } from "../shared/left-words";

/** What of a refused request says why, and who can change it. */
export interface Refused {
  readonly error_code: string | null;
  readonly refused_by: { readonly kind: string; readonly id: string } | null;
}

const REASONS: Readonly<Record<string, string>> = {
  budget_exceeded: "A budget had too little left for it.",
  rate_limit_exceeded: "A limit had too little left for it.",
  model_not_allowed: "The key, or its tenant, may not use this model.",
  scope_missing: "The key is not for this.",
  endpoint_not_allowed: "The key may not use this endpoint.",
  address_not_allowed: "It came from a network that is not allowed.",
  tenant_suspended: "The tenant is suspended.",
  model_unpriced: "A budget applies and this model has no price, so that nobody knows what it would cost.",
  invalid_api_key: "The key was not accepted.",
  no_provider_available: "No provider could be asked.",
};

/** Why it was refused, in a sentence; null where it was not a refusal of the gateway's own. */
export const reasonOf = ({ error_code }: Refused): string | null => REASONS[error_code ?? ""] ?? null;

/** The limits or budgets of whom it was refused for: of the kind that refused, those that are used up first. */
export function standingsOf(refused: Refused, found: Standings): readonly Standing[] {
  if (!refused.refused_by) return [];
  const all = refused.error_code === "budget_exceeded" ? found.budgets : refused.error_code === "rate_limit_exceeded" ? found.limits : [...found.budgets, ...found.limits];
  const mine = all.filter(({ subject }) => subject.kind === refused.refused_by!.kind && subject.id === refused.refused_by!.id);
  return [...mine].sort((a, b) => Number(b.refuses) - Number(a.refuses));
}

/** Who can change it: the owners of the tenant where they may, oneself for one's own key, else the platform's admin. */
export function askWords(refused: Refused, own: { readonly keys: boolean; readonly contacts: readonly string[] }): string {
  const managers = own.contacts.length > 0 ? own.contacts.join(", ") : "an owner or admin of the tenant";
  switch (refused.error_code) {
    case "tenant_suspended":
    case "model_unpriced":
    case "no_provider_available":
      return "Ask the platform's admin.";
    case "invalid_api_key":
      return "Make a new key.";
  }
  switch (refused.refused_by?.kind) {
    case "key": return own.keys ? "It is your own key: change it under Keys, up to what you have yourself." : `Ask ${managers}.`;
    case "member": return `Ask ${managers}: they set what you have in this tenant.`;
    case "tenant": return `It is everybody's in the tenant: ask the platform's admin${own.contacts.length > 0 ? `, or ${managers} to do so` : ""}.`;
    case undefined: return own.keys ? "Change the key, or ask whoever manages the tenant: " + managers + "." : `Ask ${managers}.`;
    default: return "Ask the platform's admin.";
  }
}
