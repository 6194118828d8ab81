import { address, setParams } from "../shared/address";
import { ChangeForm } from "../shared/change-form";
import { sendJson } from "../shared/http";
import { ofFile, type Owned } from "../shared/owner";
import { Confirmed, CopyCurl, Drawer, Empty, Form, Problem, curl, type Asked } from "../shared/parts";
import { useGet } from "../shared/query";
import { limitsInWords } from "../shared/rules";
import { UNITS } from "./limit-words";
import { LimitsExplained } from "./limits-explained";
import { limitsOf } from "../shared/rule-fields";
import { useStay } from "../shared/stay";
import { SubjectFields, subjectOf } from "./subject-fields";
import { kindTitle, subjectFilters, subjectPage, subjectPath, type Subject } from "./subjects";

/** As `GET /admin/limits?fields=true` lists them. Without an id they are fields of their subject. */
type Limits = Readonly<Record<keyof typeof UNITS, number | null>> & { readonly id: string | null; readonly subject: Subject; readonly subject_name: string | null } & Owned;

const PATH = "/admin/limits?fields=true";
const COUNTS = Object.entries(UNITS);
const addressOf = (one: Limits): string => one.id ?? `${one.subject.kind}:${one.subject.id}`;
const counts = (of: Limits): Readonly<Record<string, number | null>> => Object.fromEntries(COUNTS.map(([name]) => [name, of[name] ?? null]));

/** Who is limited to what, what a key would meet of all that, and what holds where nothing is said. */
export default function LimitsPage() {
  const list = useGet<{ readonly data: readonly Limits[] }>(PATH);
  const params = address.value.searchParams;
  const [words, open] = [params.get("find") ?? "", params.get("open")];
  const all = list.data?.data ?? [];
  const shown = all.filter((one) => `${one.subject.kind} ${one.subject_name ?? ""} ${one.subject.id}`.toLowerCase().includes(words.toLowerCase()));
  const chosen = all.find((one) => addressOf(one) === open);
  const close = (): void => setParams({ open: null });
  return (
    <>
      <div class="head">
        <h1>Limits</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Limit somebody</button>
      </div>
      <LimitsExplained>
      <div class="head"><h2>Who is limited</h2><span class="push" /><a class="btn" href="/app/admin/settings#rate-limits">Default limits</a></div>
      <div class="chips inline"><input aria-label="Find limits" placeholder="find" value={words} dir="auto" maxLength={512} onInput={(event) => setParams({ find: event.currentTarget.value || null })} /></div>
      <Problem of={list} />
      {list.data && shown.length === 0 && <Empty>{all.length > 0 ? "No limits are like this." : "Nobody is limited by themselves. Limit a key, a tenant, a person, a tag, a model or a provider; the settings have what holds for everyone else."}</Empty>}
      <ul class="rows">
        {shown.map((one) => (
          <li key={addressOf(one)}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: addressOf(one) })}>
              <span class="quiet">{kindTitle(one.subject.kind)}</span>
              <b dir="auto">{one.subject_name ?? one.subject.id}</b>
              <span class="quiet">{limitsInWords(counts(one)) || "nothing is limited"}{one.id === null ? " · a field of it" : ""}</span>
            </button>
          </li>
        ))}
      </ul>
      </LimitsExplained>
      {open === "new" && <Drawer title="Limit somebody" close={close}><NewLimits made={list.reload} /></Drawer>}
      {chosen && <Drawer title={`${kindTitle(chosen.subject.kind)} ${chosen.subject_name ?? chosen.subject.id}`} close={close}><Details key={addressOf(chosen)} limits={chosen} changed={list.reload} /></Drawer>}
    </>
  );
}

function NewLimits({ made }: { readonly made: () => void }) {
  const stay = useStay();
  const asks = (form: FormData): Asked => {
    const given = COUNTS.map(([name]) => [name, String(form.get(name) ?? "").trim()] as const).filter(([, value]) => value !== "");
    return ["POST", "/admin/limits", { subject: subjectOf(form), ...Object.fromEntries(given.map(([name, value]) => [name, Number(value)])) }];
  };
  const send = async (form: FormData): Promise<void> => {
    const limits = await sendJson<Limits>(...asks(form));
    made();
    stay({ open: limits.id });
  };
  return (
    <Form label="Set limits" send={send} asks={asks}>
      <SubjectFields />
      {COUNTS.map(([name, what]) => <label key={name}>{what[0]!.toUpperCase()}{what.slice(1)} <input name={name} inputMode="numeric" autocomplete="off" maxLength={20} placeholder="no limit" /></label>)}
    </Form>
  );
}

function Details({ limits, changed }: { readonly limits: Limits; readonly changed: () => void }) {
  const stay = useStay();
  const { subject, id } = limits;
  const page = subjectPage(subject);
  const rows = subjectFilters(subject);
  const path = id ? `/admin/limits/${encodeURIComponent(id)}` : subjectPath(subject);
  const fields = id ? COUNTS.map(([name, label]) => ({ name, label, kind: "number" as const })) : limitsOf("limits", "Its");
  const lift = async (): Promise<void> => {
    await sendJson("DELETE", path!);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <dl class="pairs">
        <dt>Whose</dt><dd>{kindTitle(subject.kind)} {page ? <a href={page} dir="auto">{limits.subject_name ?? subject.id}</a> : <span dir="auto">{limits.subject_name ?? subject.id}</span>} <code dir="auto">{subject.id}</code></dd>
        <dt>Limits</dt><dd>{limitsInWords(counts(limits)) || "none"}</dd>
        <dt>Set</dt><dd>{id ? "here" : `as a field of the ${kindTitle(subject.kind).toLowerCase()}`}</dd>
      </dl>
      <p class="buttons">
        {rows && <a class="btn" href={`/app/admin/requests?${new URLSearchParams(rows)}`}>Its requests</a>}
        {rows && <a class="btn" href={`/app/admin/requests?${new URLSearchParams({ ...rows, refused: "true" })}`}>What was refused</a>}
        {subject.kind === "key" && <button type="button" class="btn" onClick={() => setParams({ open: null, key_id: subject.id })}>Explain</button>}
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams(id ? { object_kind: "limit", object_id: id } : { object_id: subject.id })}`}>Its history</a>
        {path && <CopyCurl command={curl(path)} />}
      </p>
      <h3>Change</h3>
      <p class="quiet">Empty is no limit, 0 allows none.</p>
      {path && <ChangeForm path={path} {...(id ? { listed: limits } : {})} fields={fields} done={changed} label="Change limits" />}
      {id && !ofFile(limits) && <p class="buttons"><Confirmed label="Lift limits" question="Lifts all of these limits." run={lift} /></p>}
    </>
  );
}
