import { exactUsd, whole } from "../shared/format";
import { useGet } from "../shared/query";
import { beyond, stepsOf } from "./cost-steps";
import type { Attempt, PricedModel } from "./types";

/** How a call's cost comes about: tokens × price, by kind, with whose price it is and since when. */
export function CostTable({ attempt }: { readonly attempt: Attempt }) {
  const path = `/admin/models/${encodeURIComponent(attempt.provider)}/${attempt.model.split("/").map(encodeURIComponent).join("/")}`;
  const model = useGet<PricedModel>(attempt.price_id === null || attempt.computed_cost_usd === null ? null : path, { fresh: 60_000 });
  if (attempt.computed_cost_usd === null || model.error || !model.data) return null;
  if (model.data.price_id !== attempt.price_id || !model.data.prices) return <small>Booked at <code>{attempt.price_id}</code>, a price that another has taken the place of.</small>;
  const found = stepsOf(attempt, model.data.prices);
  if (!found) return null;
  const rest = beyond(attempt.computed_cost_usd, found.sum);
  return (
    <table class="plain">
      <caption class="sr">What call {attempt.number} cost, step by step</caption>
      <thead><tr><th scope="col">Kind</th><th scope="col" class="end">Count</th><th scope="col" class="end">per 1M</th><th scope="col" class="end">USD</th></tr></thead>
      <tbody>
        {found.steps.map((one) => <tr key={one.what}><td>{one.what}</td><td class="end">{whole(one.tokens)}</td><td class="end">{exactUsd(one.price)}</td><td class="end">{exactUsd(one.cost)}</td></tr>)}
        {rest !== null && <tr><td colSpan={3}>by the answer's terms, fees, and what is not sold by the token</td><td class="end">{exactUsd(rest)}</td></tr>}
        <tr><td colSpan={3}><b>Sum</b> <small class="quiet">rounded to a nano-dollar, at the price of {model.data.source}{model.data.effective_from ? `, since ${model.data.effective_from.slice(0, 10)}` : ""}</small></td><td class="end"><b>{exactUsd(attempt.computed_cost_usd)}</b></td></tr>
      </tbody>
    </table>
  );
}
