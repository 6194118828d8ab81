import { ChangeForm } from "../shared/change-form";
import { exactUsd } from "../shared/format";
import { sendJson } from "../shared/http";
import { ofFile } from "../shared/owner";
import { Confirmed, CopyCurl, Tag, curl } from "../shared/parts";
import { requestsLink } from "./groupings";
import { BUDGET_FIELDS, afterwards, requestsOf, resets, shareUsed, span, stateOf, usageOf, type Budget } from "./budget-words";
import { BUDGETS } from "../shared/rule-fields";
import { useStay } from "../shared/stay";
import { kindTitle, subjectPage, subjectPath } from "./subjects";

const FIELD = [{ name: "budgets", label: "All its budgets", hint: "One a line: 25.00 month Europe/Berlin warn_at=0.5,0.8", ...BUDGETS }] as const;

/** One budget: how it stands, the requests behind it, and its change where it is kept. */
export function BudgetDetails({ budget, changed }: { readonly budget: Budget; readonly changed: () => void }) {
  const rows = requestsOf(budget);
  const sums = usageOf(budget);
  const [tone, word] = stateOf(budget);
  const page = subjectPage(budget.subject);
  const share = Math.round(shareUsed(budget) * 100);
  return (
    <>
      <dl class="pairs">
        <dt>Whose</dt><dd>{kindTitle(budget.subject.kind)} {page ? <a href={page} dir="auto">{budget.subject_name ?? budget.subject.id}</a> : <span dir="auto">{budget.subject_name ?? budget.subject.id}</span>} <code dir="auto">{budget.subject.id}</code></dd>
        <dt>State</dt><dd><Tag state={tone}>{word}</Tag>, {share} % used</dd>
        <dt>Limit</dt><dd>{exactUsd(budget.limit_usd)}</dd>
        <dt>Spent</dt><dd>{rows ? <a href={requestsLink(rows)}>{exactUsd(budget.spent_usd)}</a> : exactUsd(budget.spent_usd)}</dd>
        <dt>Held</dt><dd>{exactUsd(budget.held_usd)} <span class="quiet">for what is under way</span></dd>
        <dt>Left</dt><dd>{exactUsd(budget.remaining_usd)}</dd>
        <dt>Period</dt><dd>{budget.period.replaceAll("_", " ")}, {span(budget)} <span class="quiet">in {budget.timezone}</span></dd>
        <dt>Begins anew</dt><dd>{resets(budget)}</dd>
        <dt>Models</dt><dd dir="auto">{budget.models ? budget.models.join(", ") : "all"}</dd>
        <dt>Warns at</dt><dd>{budget.warn_at.length > 0 ? budget.warn_at.map((one) => `${Math.round(one * 100)} %`).join(", ") : "nothing before it is used up"}</dd>
        <dt>Used up</dt><dd dir="auto">{afterwards(budget)}</dd>
      </dl>
      <p class="buttons">
        {rows && <a class="btn" href={requestsLink(rows)}>Its requests</a>}
        {sums && <a class="btn" href={`/app/admin/usage?${new URLSearchParams(sums)}`}>Its usage</a>}
        {rows && <a class="btn" href={requestsLink({ ...rows, refused: "true" })}>What was refused</a>}
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams(budget.id ? { object_kind: "budget", object_id: budget.id } : { object_id: budget.subject.id })}`}>Its history</a>
        {budget.id && <CopyCurl command={curl(`/admin/budgets/${budget.id}`)} />}
      </p>
      <h3>Change</h3>
      {budget.id ? <OfItself id={budget.id} listed={budget} changed={changed} /> : <OfSubject budget={budget} changed={changed} />}
    </>
  );
}

function OfItself({ id, listed, changed }: { readonly id: string; readonly listed: Budget; readonly changed: () => void }) {
  const stay = useStay();
  const path = `/admin/budgets/${encodeURIComponent(id)}`;
  const end = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <p class="quiet">A raised limit goes on with what was spent, as long as period, zone and models stay.</p>
      <ChangeForm path={path} listed={listed} fields={BUDGET_FIELDS} done={changed} label="Change budget" />
      {!ofFile(listed) && <p class="buttons"><Confirmed label="End budget" question="Ends this budget: nothing is counted or refused by it any more." run={end} /></p>}
    </>
  );
}

/** A budget that is a field: all of its subject's are changed together, where they stand. */
function OfSubject({ budget, changed }: { readonly budget: Budget; readonly changed: () => void }) {
  const path = subjectPath(budget.subject);
  if (!path) return <p class="quiet">It is changed where it was made.</p>;
  return (
    <>
      <p class="quiet">It is a field of this {kindTitle(budget.subject.kind).toLowerCase()}. A raised limit goes on with what was spent; a line that is taken away ends its budget.</p>
      <ChangeForm path={path} fields={FIELD} done={changed} label="Change budgets" />
    </>
  );
}
