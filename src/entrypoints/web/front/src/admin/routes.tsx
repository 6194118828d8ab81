import { address, setParams } from "../shared/address";
import { ChangeForm, Input } from "../shared/change-form";
import { ago, moment } from "../shared/format";
import { sendJson } from "../shared/http";
import { More, useList } from "../shared/list";
import { Confirmed, CopyCurl, Drawer, Empty, Form, Problem, curl, type Asked } from "../shared/parts";
import { known, useGet } from "../shared/query";
import { session } from "../shared/session";
import { useStay } from "../shared/stay";
import { Backtest } from "./backtest";
import { DryRun } from "./dry-run";
import { POLICY_FIELDS } from "./route-fields";
import { STRATEGIES, causesInWords, policyOf, requireInWords, targetName, textOf, whenInWords, type Route } from "./route-words";

const PATH = "/admin/routes";
const AUTO = "auto";
const pathOf = (alias: string): string => `${PATH}/${encodeURIComponent(alias)}`;
const VIEWS = [["", "Route"], ["try", "Dry run"], ["backtest", "Backtest"]] as const;

/** Aliases that clients name in `model`, and which deployments answer for them. */
export default function Routes() {
  const list = useList<Route>(PATH, (one) => one.alias);
  const params = address.value.searchParams;
  const [open, words] = [params.get("open"), params.get("q") ?? ""];
  const close = (): void => setParams({ open: null, view: null });
  const shown = list.data?.filter((one) => `${one.alias} ${one.targets.map(targetName).join(" ")}`.toLowerCase().includes(words.toLowerCase()));
  const chosen = list.data?.find((one) => one.alias === open);
  return (
    <>
      <div class="head">
        <h1>Routes</h1>
        <span class="push" />
        <CopyCurl command={curl(PATH)} />
        {writes() && <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Make a route</button>}
      </div>
      <p class="quiet">A route is a name for <code>model</code>, and the deployments that answer for it. A key's lists, and <a href="/app/admin/settings">model groups</a> in them, hold for the targets; the name itself needs no entry.</p>
      <div class="chips inline"><input type="search" id="filter" class="search" aria-label="Find a route" placeholder="alias, provider or model" value={words} onInput={(event) => setParams({ q: event.currentTarget.value || null })} /></div>
      <Problem of={list} />
      {list.data && shown?.length === 0 && <Empty>{words ? "No route has these words in it." : "No route yet. Make one, so that clients keep a name while you change what stands behind it."}</Empty>}
      <ul class="rows">
        {shown?.map((one) => <RouteLine key={one.alias} route={one} />)}
        {known(list) && "auto".includes(words.toLowerCase()) && (
          <li><button type="button" class="rowbutton" onClick={() => setParams({ open: AUTO })}><b>auto</b><span class="quiet">built in · {STRATEGIES[AUTO]}, of all that a key may use</span></button></li>
        )}
      </ul>
      <More of={list} />
      {open === "new" && <Drawer wide title="Make a route" close={close}><NewRoute made={list.reload} /></Drawer>}
      {chosen && <Drawer wide key={chosen.alias} title={chosen.alias} close={close}><RouteDetails route={chosen} changed={list.reload} /></Drawer>}
      {open !== null && isAuto(open) && <Drawer wide title={open} close={close}><AutoDetails alias={open} /></Drawer>}
    </>
  );
}

const writes = (): boolean => session.value?.user.platform_role === "admin";
const isAuto = (alias: string): boolean => alias === AUTO || alias.startsWith(`${AUTO}:`);

function RouteLine({ route }: { readonly route: Route }) {
  const first = route.targets.slice(0, 3).map(targetName).join(" → ");
  return (
    <li>
      <button type="button" class="rowbutton" onClick={() => setParams({ open: route.alias })}>
        <b dir="auto">{route.alias}</b>
        <span class="mark">{route.strategy.replaceAll("_", " ")}</span>
        <code dir="auto">{first}{route.targets.length > 3 ? ` and ${route.targets.length - 3} more` : ""}</code>
        <span class="push quiet">{route.owner === "file" ? "declared by the file" : `version ${route.version}, ${ago(route.updated_at)}`}</span>
      </button>
    </li>
  );
}

/** One of three views of it: which stands in the address. */
function Views({ shown }: { readonly shown: string }) {
  return <div class="segments" role="group" aria-label="View">{VIEWS.map(([name, title]) => <button key={name} type="button" aria-pressed={name === shown} onClick={() => setParams({ view: name || null })}>{title}</button>)}</div>;
}

const viewOf = (): string => VIEWS.find(([name]) => name === address.value.searchParams.get("view"))?.[0] ?? "";

function RouteDetails({ route, changed }: { readonly route: Route; readonly changed: () => void }) {
  const stay = useStay();
  const view = viewOf();
  return (
    <>
      <Views shown={view} />
      {view === "try" ? <DryRun alias={route.alias} /> : view === "backtest" ? <Backtest key={route.version} alias={route.alias} route={route} {...(route.owner === "database" && writes() ? { use: () => { changed(); stay({ view: null }); } } : {})} /> : <Whole route={route} changed={changed} />}
    </>
  );
}

function Whole({ route, changed }: { readonly route: Route; readonly changed: () => void }) {
  const stay = useStay();
  const path = pathOf(route.alias);
  const owned = route.owner !== "database";
  const remove = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <dl class="pairs">
        <dt>Order</dt><dd>{route.strategy.replaceAll("_", " ")}: {STRATEGIES[route.strategy] ?? ""}</dd>
        <dt>Next target when</dt><dd>{causesInWords(route.fallback_on)}</dd>
        <dt>Requires</dt><dd>{requireInWords(route.require)}</dd>
        <dt>Conversations</dt><dd>{route.affinity ? "stay where their cache is" : "go by the order alone"}</dd>
        <dt>Savings against</dt><dd>{route.baseline ? <code dir="auto">{route.baseline}</code> : "the dearest that could have served"}{route.holdout_share > 0 && `, ${Math.round(route.holdout_share * 1000) / 10} % held out`}</dd>
        <dt>Declared by</dt><dd>{owned ? `the ${route.owner}, so it is changed there` : `the database, version ${route.version}, changed ${moment(route.updated_at)}`}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?${new URLSearchParams({ route: route.alias })}`}>Its requests</a>
        <a class="btn" href={`/app/admin/usage?${new URLSearchParams({ route: route.alias })}`}>Its usage</a>
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams({ object_kind: "route", object_id: route.alias })}`}>Its history</a>
        <CopyCurl command={curl(path)} />
        {!owned && writes() && <Confirmed label="Delete route" question={`Deletes ${route.alias}: the name then means what it means without it.`} run={remove} />}
      </p>
      {owned || !writes() ? <TargetTable route={route} /> : <><h3>Change</h3><ChangeForm path={path} fields={POLICY_FIELDS} listed={route} done={changed} label="Change route" /></>}
    </>
  );
}

function TargetTable({ route }: { readonly route: Route }) {
  return (
    <>
      <h3>Targets</h3>
      <table class="plain">
        <thead><tr><th scope="col">Target</th><th scope="col">For</th><th scope="col" class="end">Weight</th></tr></thead>
        <tbody>{route.targets.map((one, i) => <tr key={i}><td><code dir="auto">{targetName(one)}</code></td><td>{whenInWords(one.when) || "every request"}</td><td class="end">{one.weight ?? 1}</td></tr>)}</tbody>
      </table>
    </>
  );
}

function NewRoute({ made }: { readonly made: () => void }) {
  const stay = useStay();
  const asks = (form: FormData): Asked => ["POST", PATH, { alias: String(form.get("alias")), ...policyOf(POLICY_FIELDS, (name) => textOf(form, name)) }];
  const send = async (form: FormData): Promise<void> => {
    const route = await sendJson<Route>(...asks(form));
    made();
    stay({ open: route.alias });
  };
  return (
    <Form label="Make route" send={send} asks={asks}>
      <label>Alias <input name="alias" required maxLength={128} autocomplete="off" placeholder="fast" dir="auto" /><small>What clients put in <code>model</code>: letters, digits and <code>._:@-</code></small></label>
      {POLICY_FIELDS.map((field) => <Input key={field.name} field={field} value={field.name === "targets" ? [{ model: "" }] : undefined} />)}
    </Form>
  );
}

/** The gateway's own route: nothing of it is written here, but it can be tried. */
function AutoDetails({ alias }: { readonly alias: string }) {
  const view = viewOf();
  const settings = useGet<Readonly<Record<string, unknown>>>(view === "" ? "/admin/settings/routing" : null);
  return (
    <>
      <Views shown={view} />
      {view === "try" && <DryRun alias={alias} />}
      {view === "backtest" && <Backtest alias={alias} route={undefined} />}
      {view === "" && (
        <>
          <p class="quiet">Clients who write <code>auto</code>, <code>auto:cost</code>, <code>auto:quality</code> or <code>auto:latency</code> get the model that fits their request best. How it weighs is in the <a href="/app/admin/settings">settings</a>.</p>
          <Problem of={settings} />
          <dl class="pairs">{Object.entries(settings.data ?? {}).map(([name, value]) => [<dt key={name}>{name.replaceAll("_", " ")}</dt>, <dd key={`${name} is`}>{value === null ? "none" : String(value)}</dd>])}</dl>
          <p class="buttons"><a class="btn" href="/app/admin/requests?route=auto">Its requests</a><CopyCurl command={curl("/admin/settings/routing")} /></p>
        </>
      )}
    </>
  );
}
