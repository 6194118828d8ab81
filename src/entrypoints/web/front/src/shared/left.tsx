import { afterWords, leftWords, resetWords, shareLeft, stateOf, whoseWords, type Standing, type Standings } from "./left-words";
import { usd } from "./format";
import { Empty, Tag } from "./parts";
import { session } from "./session";

interface Props {
  readonly found: Standings | undefined;
  /** Where the requests are that a budget's sum is made of; null where they cannot be shown. */
  readonly rows?: (one: Standing) => string | null;
  readonly none?: string;
}

/** The names of one's tenants; of the personal one, that it is oneself. */
const tenantNames = (): ReadonlyMap<string, string> => new Map((session.value?.tenants ?? []).map((one) => [one.id, one.kind === "personal" ? "yourself" : one.name]));

/** What is left of each budget and each limit, the tightest first. */
export function Left({ found, rows, none = "Nothing limits this: no budget, and no limit." }: Props) {
  if (!found) return <Empty>…</Empty>;
  if (found.budgets.length + found.limits.length === 0) return <Empty>{none}</Empty>;
  return (
    <ul class="list left">
      {[...found.budgets, ...found.limits].map((one) => <OneLeft key={`${one.subject.kind} ${one.subject.id} ${one.unit} ${one.period} ${one.limit} ${one.models}`} one={one} rows={rows} />)}
    </ul>
  );
}

function OneLeft({ one, rows }: { readonly one: Standing; readonly rows: Props["rows"] }) {
  const [amount, rest] = leftWords(one);
  const state = stateOf(one);
  const href = one.unit === "usd" ? (rows?.(one) ?? null) : null;
  const spent = `${usd(String(one.used))} spent`;
  const after = afterWords(one);
  return (
    <li>
      <span><b>{amount}</b> {rest}</span>
      <span>{state && <Tag state={state === "used up" ? "exhausted_budget" : "exhausted"}>{state}</Tag>}</span>
      <small class="quiet" dir="auto">
        {whoseWords(one.subject, session.value?.user.id ?? "", tenantNames())}
        {one.models && <> · for {one.models.join(", ")}</>}
        {one.unit === "usd" && <> · {href ? <a href={href}>{spent}</a> : spent}{Number(one.held) > 0 && `, ${usd(String(one.held))} held for what runs`}</>}
        {" · "}{resetWords(one)}{after && ` · ${after}`}
      </small>
      <span class="meter" aria-hidden="true"><i class={state ? "low" : ""} style={{ width: `${shareLeft(one) * 100}%` }} /></span>
    </li>
  );
}
