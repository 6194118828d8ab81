import { affinityInWords, standing, taskInWords, type Decision } from "../admin/decision-words";
import { exactUsd, usd, whole } from "../shared/format";
import { Empty, Problem, Tag } from "../shared/parts";
import { known, useGet } from "../shared/query";

/** Why a request went where it went: what it was taken to be, and every candidate with the reason it was taken or passed over. */
export function Why({ decision }: { readonly decision: string }) {
  const asked = useGet<Decision>(`/me/decisions/${encodeURIComponent(decision)}`, { fresh: 60_000 });
  return (
    <section aria-label="Why this provider">
      <h3>Why this provider</h3>
      <Problem of={asked} />
      {!known(asked) && <Empty>…</Empty>}
      {asked.data && <Told of={asked.data} />}
    </section>
  );
}

function Told({ of }: { readonly of: Decision }) {
  return (
    <>
      <p class="quiet" dir="auto">
        {of.route ? <>By the route <b>{of.route}</b>, {of.strategy.replaceAll("_", " ")}.</> : "The request named the model."}
        {of.task && <> Taken for {taskInWords(of.task)}.</>}
        {of.affinity && <> {affinityInWords(of.affinity)[0]!.toUpperCase() + affinityInWords(of.affinity).slice(1)}.</>}
        {of.savings_usd !== null && of.baseline && <> Saved {exactUsd(of.savings_usd)} against {of.baseline.model}.</>}
      </p>
      {of.candidates.length === 0 && <p class="quiet">Nobody could be asked.</p>}
      <ol class="list" aria-label="Candidates">
        {of.candidates.map((one, i) => {
          const { state, word, why } = standing(one, false);
          return (
            <li key={`${i} ${one.provider}/${one.model}`}>
              <span><code dir="auto">{one.provider}/{one.model}</code>{why && <small class="quiet"> {why}</small>}</span>
              <span>{one.estimated_cost_usd !== null && <small class="quiet" title={exactUsd(one.estimated_cost_usd)}>{usd(one.estimated_cost_usd)} </small>}{state === "waiting" ? <span class="quiet">{word}</span> : <Tag state={state}>{word}</Tag>}</span>
            </li>
          );
        })}
      </ol>
      {of.left_out > 0 && <p class="quiet">{whole(of.left_out)} more were not written down.</p>}
    </>
  );
}
