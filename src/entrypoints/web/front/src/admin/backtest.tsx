import { useState } from "preact/hooks";
import { Input } from "../shared/change-form";
import { seconds, usd, whole } from "../shared/format";
import { call, sendJson } from "../shared/http";
import { Confirmed, Empty, Form, type Asked } from "../shared/parts";
import { changeOf } from "./groupings";
import { POLICY_FIELDS } from "./route-fields";
import { policyOf, textOf, type Route } from "./route-words";

interface Figures {
  readonly cost_usd: string | null;
  readonly latency_ms: number | null;
  readonly failures: number | null;
}

interface Backtested {
  readonly requests: number;
  readonly moved: number;
  readonly unknown: number;
  readonly before: Figures;
  readonly after: Figures;
  readonly moves: readonly { readonly from: string | null; readonly to: string | null; readonly requests: number; readonly cost_delta_usd: string | null }[];
}

const TRIED = POLICY_FIELDS.filter((field) => ["strategy", "targets", "require.capabilities", "require.regions", "require.no_training", "fallback_on"].includes(field.name));

/** Another policy on what went by the alias: what it would have moved, and what that would have cost. */
export function Backtest({ alias, route: policy, use }: { readonly alias: string; readonly route: Route | undefined; readonly use?: () => void }) {
  const [found, setFound] = useState<Backtested>();
  const [tried, setTried] = useState<unknown>();
  const rest = policy && { affinity: policy.affinity, baseline: policy.baseline, holdout_share: policy.holdout_share };
  const asks = (form: FormData): Asked => {
    const text = (name: string): string => String(form.get(name) ?? "");
    const day = (name: string): object => (text(name) ? { [name]: text(name) } : {});
    return ["POST", `/admin/routes/${encodeURIComponent(alias)}/backtest`, { policy: policyOf(TRIED, (name) => textOf(form, name), rest), ...day("from"), ...day("to"), prices: text("prices") }];
  };
  const send = async (form: FormData): Promise<void> => {
    setFound(undefined);
    const asked = asks(form);
    setFound(await sendJson<Backtested>(...asked));
    setTried((asked[2] as { readonly policy: unknown }).policy);
  };
  const shown = (name: string): unknown => (name.startsWith("require.") ? policy?.require?.[name.slice(8) as "regions"] : policy?.[name as keyof Route]);
  return (
    <>
      <p class="quiet">What went by <code>{alias}</code>, replayed under the policy that you write here. Nothing is changed by it.</p>
      <Form label="Replay" send={send} asks={asks}>
        {TRIED.map((field) => <Input key={field.name} field={field} value={shown(field.name)} />)}
        <div class="fields">
          <label>From <input type="date" name="from" /><small>Empty: a week before.</small></label>
          <label>To <input type="date" name="to" /><small>Empty: now. Days are those of UTC.</small></label>
          <label>Prices <select name="prices"><option value="then">of then</option><option value="now">of now</option></select></label>
        </div>
      </Form>
      <div role="status" class="trial">{found && <Outcome found={found} />}</div>
      {found && use && policy && <p class="buttons"><Confirmed label="Use this policy" question={`Changes ${alias} to what was replayed.`} run={() => take(policy, tried).then(use)} /></p>}
    </>
  );
}

/** The route gets the policy, unless somebody has changed it since it was replayed. */
async function take(route: Route, policy: unknown): Promise<void> {
  const path = `/admin/routes/${encodeURIComponent(route.alias)}`;
  const answer = await call("GET", path);
  const tag = answer.headers.get("etag");
  if (((await answer.json()) as Route).version !== route.version) throw new Error("Somebody has changed this route meanwhile. Open it anew, and replay again.");
  await call("PATCH", path, { body: policy, headers: tag ? { "if-match": tag } : {} });
}

function Outcome({ found }: { readonly found: Backtested }) {
  if (found.requests === 0) return <Empty>Nothing went by this alias in that time.</Empty>;
  return (
    <>
      <h3>{whole(found.moved)} of {whole(found.requests)} requests would have gone elsewhere</h3>
      {found.unknown > 0 && <p class="quiet">{whole(found.unknown)} of them where nothing was ever measured: their latency and failures are left out.</p>}
      <table class="plain">
        <thead><tr><th scope="col" /><th scope="col" class="end">As it was</th><th scope="col" class="end">As it would be</th><th scope="col" class="end">Change</th></tr></thead>
        <tbody>
          <Compared title="Cost" of={(one) => (one.cost_usd === null ? null : Number(one.cost_usd))} show={(one) => usd(one.cost_usd!)} found={found} />
          <Compared title="Latency, on average" of={(one) => one.latency_ms} show={(one) => seconds(one.latency_ms!)} found={found} />
          <Compared title="Failed" of={(one) => one.failures} show={(one) => whole(one.failures!)} found={found} />
        </tbody>
      </table>
      {found.moves.length > 0 && (
        <table class="plain">
          <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col" class="end">Requests</th><th scope="col" class="end">Cost</th></tr></thead>
          <tbody>
            {found.moves.map((one) => (
              <tr key={`${one.from} ${one.to}`}><td><code dir="auto">{one.from ?? "nobody"}</code></td><td><code dir="auto">{one.to ?? "nobody: no target is left"}</code></td><td class="end">{whole(one.requests)}</td><td class="end">{one.cost_delta_usd === null ? "not known" : signed(one.cost_delta_usd)}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

const signed = (text: string): string => (Number(text) > 0 ? `+${usd(text)}` : usd(text).replace("-", "−"));

interface Row {
  readonly title: string;
  readonly of: (figures: Figures) => number | null;
  readonly show: (figures: Figures) => string;
  readonly found: Backtested;
}

function Compared({ title, of, show, found: { before, after } }: Row) {
  const [was, would] = [of(before), of(after)];
  return (
    <tr>
      <th scope="row">{title}</th>
      <td class="end">{was === null ? "not known" : show(before)}</td>
      <td class="end">{would === null ? "not known" : show(after)}</td>
      <td class="end">{was === null || would === null ? "–" : (changeOf(would, was) ?? "–")}</td>
    </tr>
  );
}
