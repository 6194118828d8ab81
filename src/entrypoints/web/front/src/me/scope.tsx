import { address, setParams } from "../shared/address";
import { session, type Tenant } from "../shared/session";

const WHOLE = ["owner", "admin", "viewer"];

/** Tenants of which one sees everything, not one's own alone. */
export const wholeTenants = (): readonly Tenant[] => (session.value?.tenants ?? []).filter((one) => one.kind === "shared" && WHOLE.includes(one.role));

/** The tenant of the address, where one may see all of it; else null: one's own. */
export const chosenTenant = (): string | null => {
  const asked = address.value.searchParams.get("tenant_id");
  return wholeTenants().some((one) => one.id === asked) ? asked : null;
};

/** Whose figures are shown: one's own, or all of a tenant that one may see. Nothing where there is no choice. */
export function Scope() {
  const tenants = wholeTenants();
  if (tenants.length === 0) return null;
  return (
    <label class="theme"><span class="sr">Whose</span>
      <select value={chosenTenant() ?? ""} onChange={(event) => setParams({ tenant_id: event.currentTarget.value || null })}>
        <option value="">Yours</option>
        {tenants.map((one) => <option key={one.id} value={one.id}>All of {one.name}</option>)}
      </select>
    </label>
  );
}
