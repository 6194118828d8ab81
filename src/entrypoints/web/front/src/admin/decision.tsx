import { exactUsd, usd, whole } from "../shared/format";
import { CopyCurl, Problem, Tag, curl } from "../shared/parts";
import { useGet } from "../shared/query";
import { PART_NAMES, affinityInWords, standing, taskInWords, type Decision, type DecisionCandidate, type Parts } from "./decision-words";
import { STRATEGIES } from "./route-words";

/** The decision of this id, with its command. */
export function DecisionOf({ id }: { readonly id: string }) {
  const path = `/admin/decisions/${encodeURIComponent(id)}`;
  const found = useGet<Decision>(path);
  return (
    <>
      <Problem of={found} />
      {found.data && <DecisionView of={found.data} />}
      {found.data && <p class="buttons"><CopyCurl command={curl(path)} /></p>}
    </>
  );
}

/** Why a request went where it went, or would go: what was read of it, and every candidate with its reason. */
export function DecisionView({ of }: { readonly of: Decision }) {
  const dry = of.id === null;
  return (
    <>
      <dl class="pairs">
        <dt>Route</dt>
        <dd>
          {of.route ? <a href={`/app/admin/routes?open=${encodeURIComponent(of.route)}`} dir="auto">{of.route}</a> : "none: the request names a model"}
          {of.policy_version > 0 && <>, version {of.policy_version}</>}
          <small class="quiet"> {of.strategy.replaceAll("_", " ")}: {STRATEGIES[of.strategy] ?? of.strategy}</small>
        </dd>
        {of.task && [<dt key="t">Task</dt>, <dd key="d">{taskInWords(of.task)}</dd>]}
        {of.affinity && [<dt key="a">Conversation</dt>, <dd key="w">{affinityInWords(of.affinity)}</dd>]}
        {of.baseline && [<dt key="b">Baseline</dt>, <dd key="m"><code dir="auto">{of.baseline.model}</code>{of.baseline.cost_usd === null ? ", which has no price" : `, ${exactUsd(of.baseline.cost_usd)} for the same tokens`}{of.holdout && " (held out: asked to measure savings)"}</dd>]}
        {of.savings_usd !== null && [<dt key="s">Saved</dt>, <dd key="v">{exactUsd(of.savings_usd)} against the baseline</dd>]}
      </dl>
      <ol class="candidates" aria-label="Candidates">{of.candidates.map((one, i) => <Candidate key={`${i} ${one.provider}/${one.model}`} one={one} rank={i + 1} dry={dry} />)}</ol>
      {of.candidates.some((one) => one.parts?.quality_assumed) && <p class="quiet">≈ nobody has figures of this model: the median of all.</p>}
      {of.candidates.length === 0 && <p class="quiet">No deployment was looked at.</p>}
      {of.left_out > 0 && <p class="quiet">{whole(of.left_out)} more candidates were not written down.</p>}
    </>
  );
}

function Candidate({ one, rank, dry }: { readonly one: DecisionCandidate; readonly rank: number; readonly dry: boolean }) {
  const { state, word, why } = standing(one, dry);
  return (
    <li class={one.chosen ? "taken" : ""}>
      <span class="rank" aria-hidden="true">{one.excluded_by ? "–" : rank}</span>
      <span class="who"><a href={`/app/admin/models?${new URLSearchParams({ open: `${one.provider}/${one.model}` })}`}><code dir="auto">{one.provider}/{one.model}</code></a>{why && <small class="quiet">{why}</small>}</span>
      {state === "waiting" ? <span class="quiet">{word}</span> : <Tag state={state}>{word}</Tag>}
      <span class="end">{one.estimated_cost_usd === null ? <span class="quiet">no price</span> : <span title={exactUsd(one.estimated_cost_usd)}>{usd(one.estimated_cost_usd)}</span>}</span>
      {one.score !== null && <Score score={one.score} parts={one.parts} />}
    </li>
  );
}

const figure = (value: number | null): string => (value === null ? "–" : value.toFixed(2));

/** A score and what it is made of, each from 0 to 1. */
function Score({ score, parts }: { readonly score: number; readonly parts: Parts | null }) {
  return (
    <dl class="scores">
      <div><dt>score</dt><dd><b>{figure(score)}</b></dd><span class="meter"><i style={{ width: `${Math.max(0, Math.min(1, score)) * 100}%` }} /></span></div>
      {parts && PART_NAMES.map((name) => (
        <div key={name}><dt>{name}</dt><dd>{name === "quality" && parts.quality_assumed ? "≈ " : ""}{figure(parts[name])}</dd><span class="meter"><i style={{ width: `${(parts[name] ?? 0) * 100}%` }} /></span></div>
      ))}
    </dl>
  );
}
