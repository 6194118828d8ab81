import { useEffect } from "preact/hooks";
import { address } from "../shared/address";
import { ChangeForm } from "../shared/change-form";
import { LIST, type Field } from "../shared/changes";
import { CopyCurl, curl } from "../shared/parts";
import { FirstSteps } from "./first-steps";
import { ModelGroups } from "./model-groups";
import { BUDGETS, limitsOf } from "../shared/rule-fields";
import { SettingsInForce } from "./settings-in-force";

const MODEL = "provider/model. ";

/** Every route of `/admin/settings` that can be changed while the gateway runs: its path, what it is, and its fields. */
const SETTINGS: readonly (readonly [string, string, string, readonly Field[]])[] = [
  ["default-models", "Models of personal tenants", "What each person may use on their own. A change is written into every personal tenant again.",
    [{ name: "models", label: "Models", hint: "Names, patterns or groups, with spaces between: groq/* *:free @fast. Empty allows all.", ...LIST }]],
  ["routing", "How auto chooses", "Where a request does not say. Empty is what it is as shipped.",
    [
      { name: "priority", label: "What counts most", kind: ["balanced", "cost", "quality"] },
      { name: "latency", label: "How soon", kind: ["normal", "low", "relaxed"] },
      { name: "baseline", label: "Baseline", hint: `${MODEL}What savings are reckoned against. Empty: the dearest that could have served.` },
      { name: "classifier_model", label: "Model that tells tasks apart", hint: `${MODEL}Asked where the words do not say it, at the caller's cost. Empty: none.` },
      { name: "holdout_share", label: "Held out", kind: "number", hint: "Share of requests that go to the baseline, so that savings have an interval: 0.02." },
    ]],
  ["rate-limits", "Default limits", "Of each key and each tenant that has no limit of that kind. Empty is no limit, 0 allows none.",
    [...limitsOf("key", "Each key"), ...limitsOf("tenant", "Each tenant")]],
  ["budgets", "Default budgets", "Of each key and tenant without a budget of its own. One a line: 25.00 month Europe/Berlin",
    [
      { name: "key", label: "Each key", ...BUDGETS },
      { name: "tenant", label: "Each shared tenant", ...BUDGETS },
      { name: "personal_tenant", label: "Each personal tenant", ...BUDGETS },
    ]],
]; // prettier-ignore

export default function Settings() {
  const part = address.value.hash.slice(1);
  useEffect(() => document.getElementById(part)?.scrollIntoView(), [part]);
  return (
    <>
      <div class="head"><h1>Settings</h1></div>
      <p class="quiet">What can be changed while the gateway runs, then what it was told at its start.</p>
      <FirstSteps always />
      <div class="settings">
        {SETTINGS.map(([name, title, what, fields]) => (
          <section key={name} id={name} class="card" aria-label={title}>
            <div class="head"><h2>{title}</h2><span class="push" /><a class="btn" href={`/app/admin/audit?object_kind=setting&object_id=${name}`}>Its history</a><CopyCurl command={curl(`/admin/settings/${name}`)} /></div>
            <p class="quiet">{what}</p>
            <ChangeForm path={`/admin/settings/${name}`} fields={fields} label={`Change ${title.toLowerCase()}`} done={() => undefined} />
          </section>
        ))}
        <ModelGroups><SettingsInForce /></ModelGroups>
      </div>
    </>
  );
}
