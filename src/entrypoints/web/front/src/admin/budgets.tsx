import { address, setParams } from "../shared/address";
import { usd } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, Empty, Form, Problem, Tag, curl, type Asked } from "../shared/parts";
import { known, useGet } from "../shared/query";
import { budgetInWords } from "../shared/rules";
import { sendJson } from "../shared/http";
import { useStay } from "../shared/stay";
import { BudgetDetails } from "./budget-details";
import { BUDGET_FIELDS, listed, resets, shareUsed, stateOf, type Budget, type Listed } from "./budget-words";
import { SubjectFields, subjectOf } from "./subject-fields";
import { SUBJECTS, kindTitle } from "./subjects";

const PATH = "/admin/budgets";
type Row = Listed & { readonly id: string };

const Meter = ({ of }: { readonly of: Budget }) => (
  <span class="meter" role="img" aria-label={`${Math.round(shareUsed(of) * 100)} % used`}><i class={shareUsed(of) >= 1 ? "low" : ""} style={{ width: `${shareUsed(of) * 100}%` }} /></span>
);

const NAME: Column<Row> = {
  key: "whose", title: "Whose", width: "minmax(160px, 2fr)",
  cell: (row) => <><span class="quiet">{kindTitle(row.subject.kind)}</span> <span dir="auto">{row.subject_name ?? row.subject.id}</span></>,
}; // prettier-ignore
const COLUMNS: readonly Column<Row>[] = [
  NAME,
  { key: "budget", title: "Budget", width: "minmax(150px, 2fr)", cell: (row) => <span dir="auto">{budgetInWords(row)}</span> },
  { key: "used", title: "Used", width: "96px", cell: (row) => <Meter of={row} /> },
  { key: "spent", title: "Spent", width: "84px", end: true, cell: (row) => usd(row.spent_usd) },
  { key: "held", title: "Held", width: "76px", end: true, cell: (row) => usd(row.held_usd) },
  { key: "left", title: "Left", width: "84px", end: true, cell: (row) => usd(row.remaining_usd) },
  { key: "resets", title: "Begins anew", width: "112px", cell: (row) => <span title={row.period_end ?? ""}>{resets(row)}</span> },
  { key: "state", title: "State", width: "120px", cell: (row) => <State of={row} /> },
];
const NARROW: readonly Column<Row>[] = [{ ...NAME, width: "minmax(0, 1fr)", cell: (row) => <span dir="auto">{row.subject_name ?? row.subject.id}</span> }, { ...COLUMNS[5]!, width: "76px" }, { ...COLUMNS[7]!, width: "104px" }];

function State({ of }: { readonly of: Budget }) {
  const [tone, word] = stateOf(of);
  return <Tag state={tone}>{word}</Tag>;
}

/** All budgets of all whom they are for, the fullest first: what is spent, held and left, and when it begins anew. */
export default function Budgets() {
  const list = useGet<{ readonly data: readonly Budget[] }>(PATH, { poll: 10_000 });
  const params = address.value.searchParams;
  const [kind, words, near, open] = [params.get("kind"), params.get("find") ?? "", params.get("near") === "1", params.get("open")];
  const all = listed(list.data?.data ?? []);
  const fits = (one: Listed): boolean =>
    (!kind || one.subject.kind === kind) && (!near || stateOf(one)[0] !== "ok") && `${one.subject_name ?? ""} ${one.subject.id}`.toLowerCase().includes(words.toLowerCase());
  const rows = all.filter(fits).sort((a, b) => shareUsed(b) - shareUsed(a)).map((one): Row => ({ ...one, id: one.key }));
  const chosen = all.find((one) => one.key === open);
  const close = (): void => setParams({ open: null });
  return (
    <>
      <div class="head">
        <h1>Budgets</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Give a budget</button>
      </div>
      <p class="quiet">What keys, tenants and people have without a budget of their own is in the <a href="/app/admin/settings#budgets">settings</a>. <a href="/app/admin/alerts">Alerts</a> tell when one is nearly used up.</p>
      <div class="chips" role="group" aria-label="Filters">
        <span class="inline"><input id="filter" aria-label="Find a budget" placeholder="find" value={words} dir="auto" maxLength={512} onInput={(event) => setParams({ find: event.currentTarget.value || null })} /></span>
        <button type="button" class="chip" aria-pressed={near} onClick={() => setParams({ near: near ? null : "1" })}>nearly used up</button>
        {SUBJECTS.map(([name, title]) => <button key={name} type="button" class="chip" aria-pressed={kind === name} onClick={() => setParams({ kind: kind === name ? null : name })}>{title.toLowerCase()}</button>)}
      </div>
      <Problem of={list} />
      {list.data && rows.length === 0 && <Empty>{all.length > 0 ? "No budget is like this. Take a filter away." : "Nobody has a budget of their own. Give one to a key, a tenant, a person, a tag, a model or a provider."}</Empty>}
      {(rows.length > 0 || !known(list)) && <Grid label="Budgets" columns={isNarrow.value ? NARROW : COLUMNS} rows={rows} chosen={open ?? ""} onOpen={(row) => setParams({ open: row.key })} onEnd={() => undefined} />}
      {open === "new" && <Drawer title="Give a budget" close={close}><NewBudget made={list.reload} /></Drawer>}
      {chosen && <Drawer title={`${kindTitle(chosen.subject.kind)} ${chosen.subject_name ?? chosen.subject.id}`} close={close}><BudgetDetails key={chosen.key} budget={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}

function NewBudget({ made }: { readonly made: () => void }) {
  const stay = useStay();
  const asks = (form: FormData): Asked => {
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    const fields = BUDGET_FIELDS.filter((one) => text(one.name)).map((one) => [one.name, one.read ? one.read(text(one.name)) : text(one.name)]);
    return ["POST", PATH, { subject: subjectOf(form), ...Object.fromEntries(fields) }];
  };
  const send = async (form: FormData): Promise<void> => {
    const budget = await sendJson<Budget>(...asks(form));
    made();
    stay({ open: budget.id });
  };
  const [limit, period, zone, after] = BUDGET_FIELDS;
  return (
    <Form label="Give budget" send={send} asks={asks}>
      <SubjectFields />
      <label>{limit!.label} <input name="limit_usd" required inputMode="decimal" autocomplete="off" placeholder="25.00" maxLength={40} /></label>
      <label>{period!.label} <select name="period">{(period!.kind as readonly string[]).map((one) => <option key={one}>{one}</option>)}</select></label>
      <label>{zone!.label} <input name="timezone" autocomplete="off" placeholder="UTC" maxLength={64} /><small>{zone!.hint}</small></label>
      <label>{after!.label} <select name="on_exceeded">{(after!.kind as readonly string[]).map((one) => <option key={one}>{one}</option>)}</select><small>{after!.hint}</small></label>
      <label>Downgrade to <input name="downgrade_to" autocomplete="off" dir="auto" maxLength={512} /><small>{BUDGET_FIELDS[4]!.hint}</small></label>
      <label>Models <input name="models" autocomplete="off" placeholder="all" dir="auto" maxLength={2000} /><small>{BUDGET_FIELDS[8]!.hint}</small></label>
    </Form>
  );
}
