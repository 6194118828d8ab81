import { usd, whole } from "../shared/format";
import { Empty } from "../shared/parts";
import { requestsLink } from "./groupings";
import { endingInWords, endingsOf, type StandingBudget } from "./outlook";
import type { Provider, Usage } from "./types";

const MOST = 6;
/** Below this share of what there was, a meter warns. */
const LOW = 0.2;

/** Budgets and quotas, those first that will be gone first. */
export function RunsOut({ budgets, providers }: { readonly budgets: readonly StandingBudget[]; readonly providers: readonly Provider[] }) {
  const all = endingsOf(budgets, providers);
  if (all.length === 0) return <Empty>Nobody has a budget, and no provider's quota is known. <a href="/app/admin/budgets?open=new">Give a budget</a>, so that it is seen here before it is used up.</Empty>;
  return (
    <>
      <ul class="list">
        {all.slice(0, MOST).map((one) => (
          <li key={one.key}>
            <a href={one.href}><span class="quiet">{one.kind}</span> <span dir="auto">{one.name}</span></a>
            <span>{endingInWords(one)}</span>
            <span class="meter"><i class={one.share === 0 ? "low" : one.share < LOW ? "warn" : ""} style={{ width: `${(1 - one.share) * 100}%` }} /></span>
            <small class="quiet" dir="auto">{one.left}</small>
          </li>
        ))}
      </ul>
      {all.length > MOST && <p class="quiet">{whole(all.length - MOST)} more with more left: <a href="/app/admin/budgets">budgets</a>, <a href="/app/admin/providers">quotas</a></p>}
    </>
  );
}

/** What each route has saved, the most first: each leads to its requests. */
export function SavedByRoute({ usage, shared }: { readonly usage: Usage | undefined; readonly shared: Readonly<Record<string, string>> }) {
  const rows = (usage?.data ?? []).filter((row) => row.route).sort((a, b) => Number(b.savings_usd) - Number(a.savings_usd) || b.requests - a.requests).slice(0, MOST);
  const most = Math.max(1e-12, ...rows.map((row) => Number(row.savings_usd)));
  if (usage && rows.length === 0) return <Empty>Nothing went by a route or by <code>auto</code> in these days. <a href="/app/admin/routes">Routes</a> say what a request costs elsewhere.</Empty>;
  return (
    <ul class="list">
      {rows.map((row) => (
        <li key={row.route}>
          <a href={requestsLink({ ...shared, route: row.route! })} dir="auto">{row.route}</a>
          <span>{usd(row.savings_usd)} · {whole(row.requests)} requests</span>
          <span class="meter"><i style={{ width: `${Math.max(0, Number(row.savings_usd) / most) * 100}%` }} /></span>
        </li>
      ))}
    </ul>
  );
}
