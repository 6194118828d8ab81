import type { VirtualKey } from "../admin/types";
import type { Budget, Limits } from "../shared/rules";

/** A key as `/me/keys` and `/admin/keys` answer it. */
export interface OwnKey extends VirtualKey {
  readonly owner_id: string | null;
  readonly limits: Limits;
  readonly budgets: readonly Budget[];
  readonly previous_until: string | null;
}

/** A tenant that one belongs to, as `/me/tenants` answers it. */
export interface OwnTenant {
  readonly id: string;
  readonly name: string;
  readonly kind: "shared" | "personal";
  readonly role: string;
  readonly limits: Limits;
  readonly budgets: readonly Budget[];
  readonly member_limits: Limits;
  readonly member_budgets: readonly Budget[];
  readonly contacts: readonly string[];
}

/** Their owners, admins and viewers see all of a tenant. */
export const SEES: readonly string[] = ["owner", "admin", "viewer"];
