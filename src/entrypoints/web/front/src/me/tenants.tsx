import { address, setParams } from "../shared/address";
import { Left } from "../shared/left";
import type { Standings } from "../shared/left-words";
import { Members, rolesGivenBy } from "../shared/members";
import { CopyCurl, Drawer, Problem, curl } from "../shared/parts";
import { known, useGet } from "../shared/query";
import { rulesInWords } from "../shared/rules";
import { SEES, type OwnTenant } from "./own";
import { TenantKeys } from "./tenant-keys";

/** The tenants one belongs to; of those one manages, their members, keys, limits and budgets. */
export default function Tenants() {
  const list = useGet<{ data: readonly OwnTenant[] }>("/me/tenants");
  const open = address.value.searchParams.get("open");
  const chosen = list.data?.data.find((one) => one.id === open);
  return (
    <>
      <div class="head"><h1>Tenants</h1><span class="push" /><CopyCurl command={curl("/me/tenants")} /></div>
      <p class="quiet">Each request is on the account of a tenant: of your own, or of one that you share with others.</p>
      <Problem of={list} />
      <ul class="rows">
        {list.data?.data.map((one) => (
          <li key={one.id}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: one.id })}>
              <b dir="auto">{one.name}</b>
              <span class="quiet">{one.kind === "personal" ? "your own" : `shared · ${one.role}`} · limits: {rulesInWords(one.limits, one.budgets)}</span>
            </button>
          </li>
        ))}
      </ul>
      {chosen && <Drawer title={chosen.name} close={() => setParams({ open: null })}><Details tenant={chosen} /></Drawer>}
    </>
  );
}

function Details({ tenant }: { readonly tenant: OwnTenant }) {
  const sees = tenant.kind === "shared" && SEES.includes(tenant.role);
  const left = useGet<Standings>(`/me/limits?tenant_id=${tenant.id}`, { poll: 10_000 });
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{tenant.id}</code></dd>
        <dt>Your role</dt><dd>{tenant.role}</dd>
        <dt>Limits of all</dt><dd>{rulesInWords(tenant.limits, tenant.budgets)}</dd>
        <dt>Of you in it</dt><dd>{rulesInWords(tenant.member_limits, tenant.member_budgets)}</dd>
        {tenant.contacts.length > 0 && [<dt key="t">Ask for more</dt>, <dd key="d" dir="auto">{tenant.contacts.join(", ")}</dd>]}
      </dl>
      <section aria-label="What is left">
        <h3>What is left</h3>
        <Problem of={left} />
        <Left found={left.data} none="Nothing limits you here: no budget, and no limit." />
      </section>
      {known(left) && (
        <>
          <p class="buttons">
            <a class="btn" href={`/app/me?tenant_id=${tenant.id}`}>{sees ? "Its usage" : "Your usage"}</a>
            <a class="btn" href={`/app/me/requests?tenant_id=${tenant.id}`}>{sees ? "Its requests" : "Your requests"}</a>
          </p>
          {sees && <Members tenant={tenant.id} givenBy={rolesGivenBy(tenant.role)} left={(user) => <MembersLeft tenant={tenant.id} user={user} />}><TenantKeys tenant={tenant.id} writes={tenant.role !== "viewer"} /></Members>}
        </>
      )}
    </>
  );
}

/** What a member has left in the tenant, and the tenant itself. */
function MembersLeft({ tenant, user }: { readonly tenant: string; readonly user: string }) {
  const left = useGet<Standings>(`/me/limits?${new URLSearchParams({ tenant_id: tenant, user_id: user })}`);
  return <><Problem of={left} /><Left found={left.data} /></>;
}
