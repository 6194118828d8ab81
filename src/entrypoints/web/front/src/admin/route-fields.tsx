import { useEffect, useRef, useState } from "preact/hooks";
import { LIST, type Field } from "../shared/changes";
import { useGet } from "../shared/query";
import { CAUSES, STRATEGIES, TASKS, USUAL_CAUSES, causesInWords, plainTarget, readTargets, targetsInWords, whenInWords, writeTargets, type Target, type When } from "./route-words";
import type { Page, PricedModel, Provider } from "./types";

interface Kept {
  readonly name: string;
  readonly text: string;
}

/** A text of the form that is not seen: what is seen edits it, and is told where a draft has put another there. */
function useKept(name: string, text: string) {
  const box = useRef<HTMLTextAreaElement>(null);
  const [value, setValue] = useState(text);
  const own = useRef(text);
  const write = (next: string): void => {
    own.current = next;
    box.current!.value = next;
    setValue(next);
    box.current!.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const [epoch, setEpoch] = useState(0);
  const read = (event: Event): void => {
    const now = (event.currentTarget as HTMLTextAreaElement).value;
    if (now === own.current) return;
    own.current = now;
    setValue(now);
    setEpoch((known) => known + 1);
  };
  return { value, now: () => own.current, write, epoch, element: <textarea hidden ref={box} name={name} aria-label={name} defaultValue={text} onInput={read} /> };
}

/** The deployments of a route, in their order: each a line that can be moved, weighed and given conditions. */
export function Targets({ name, text }: Kept) {
  const kept = useKept(name, text);
  const [ids, setIds] = useState<readonly number[]>([]);
  const next = useRef(1);
  const targets = readTargets(kept.value);
  const all = targets.map((_, i) => ids[i] ?? -i - 1);
  const put = (changed: readonly Target[], order: readonly number[] = all): void => {
    setIds(order);
    kept.write(JSON.stringify(changed.map(plainTarget)));
  };
  const change = (at: number, make: Make<Target>): void => put(readTargets(kept.now()).map((one, i) => (i === at ? make(one) : one)));
  const move = (at: number, to: number): void => {
    const swap = <T,>(list: readonly T[]): readonly T[] => list.map((one, i) => (i === at ? list[to]! : i === to ? list[at]! : one));
    put(swap(targets), swap(all));
  };
  const without = <T,>(list: readonly T[], at: number): readonly T[] => list.filter((_, i) => i !== at);
  return (
    <>
      {kept.element}
      <ol class="targets">
        {targets.map((one, i) => (
          <TargetLine key={`${kept.epoch} ${all[i]}`} target={one} at={i} last={targets.length - 1} change={(make) => change(i, make)} move={(to) => move(i, to)} remove={() => put(without(targets, i), without(all, i))} />
        ))}
      </ol>
      {targets.length === 0 && <p class="quiet">No target yet: nobody would answer.</p>}
      <p class="buttons"><button type="button" class="btn" onClick={() => put([...targets, { model: "" }], [...all, next.current++])}>Add a target</button></p>
    </>
  );
}

/** What becomes of something as it is now. */
type Make<T> = (known: T) => T;

interface Line {
  readonly target: Target;
  readonly at: number;
  readonly last: number;
  readonly change: (make: Make<Target>) => void;
  readonly move: (to: number) => void;
  readonly remove: () => void;
}

function TargetLine({ target, at, last, change, move, remove }: Line) {
  const here = `target ${at + 1}`;
  const id = `targets.${at}`;
  return (
    <li>
      <div class="target">
        <span class="rank" aria-hidden="true">{at + 1}</span>
        <label><span>Provider</span>{target.mock ? <output>none, it answers by itself</output> : <ProviderField id={`${id}.provider`} value={target.provider ?? ""} change={(provider) => change((known) => ({ ...known, provider }))} />}</label>
        <label><span>Model</span><ModelField id={`${id}.model`} provider={target.provider ?? ""} value={target.model} change={(model) => change((known) => ({ ...known, model }))} /></label>
        <label><span>Weight</span><input id={`${id}.weight`} inputMode="decimal" autocomplete="off" defaultValue={String(target.weight ?? 1)} onInput={({ currentTarget: { value } }) => change((known) => ({ ...known, weight: numberOf(value) ?? 1 }))} /></label>
        <span class="inline">
          <button type="button" class="btn" aria-label={`Move ${here} up`} disabled={at === 0} onClick={() => move(at - 1)}>↑</button>
          <button type="button" class="btn" aria-label={`Move ${here} down`} disabled={at === last} onClick={() => move(at + 1)}>↓</button>
          <button type="button" class="btn" aria-label={`Remove ${here}`} onClick={remove}>✕</button>
        </span>
      </div>
      <details class="conditions">
        <summary>{whenInWords(target.when) || "For every request"}{target.successor ? ", then its successor" : ""}</summary>
        <Conditions id={id} when={target.when ?? {}} change={(make) => change((known) => ({ ...known, when: make(known.when ?? {}) }))} />
        {target.mock && <label>Its answer <input id={`${id}.mock.text`} autocomplete="off" dir="auto" maxLength={65536} placeholder="as it is made" defaultValue={target.mock.text ?? ""} onInput={({ currentTarget: { value: text } }) => change((known) => ({ ...known, mock: { ...known.mock, text } }))} /></label>}
        <label class="check"><input type="checkbox" defaultChecked={target.successor === true} onInput={({ currentTarget: { checked } }) => change((known) => ({ ...known, successor: checked }))} /> Once the model has ended, its successor takes over</label>
      </details>
    </li>
  );
}

const numberOf = (text: string): number | undefined => (text.trim() === "" || Number.isNaN(Number(text)) ? undefined : Number(text));

const WORDS = [
  ["tags", "Tags", "One of these."],
  ["tenants", "Tenant ids", ""],
  ["keys", "Key ids", ""],
] as const;

function Conditions({ id, when, change }: { readonly id: string; readonly when: When; readonly change: (make: Make<When>) => void }) {
  const set = (part: object): void => change((known) => ({ ...known, ...part }));
  const toggle = (task: string, on: boolean): void => change((known) => ({ ...known, tasks: [...(known.tasks ?? []).filter((one) => one !== task), ...(on ? [task] : [])] }));
  const names = (text: string): readonly string[] => (LIST.read(text) as readonly string[] | null) ?? [];
  const tasks = when.tasks ?? [];
  return (
    <div class="fields">
      <fieldset class="choices wide-field"><legend>Tasks</legend>{TASKS.map((one) => <label key={one} class="check"><input type="checkbox" defaultChecked={tasks.includes(one)} onInput={(event) => toggle(one, event.currentTarget.checked)} /> {one.replaceAll("_", " ")}</label>)}</fieldset>
      <label>Tokens of the prompt, at least <input id={`${id}.when.min_input_tokens`} inputMode="numeric" autocomplete="off" defaultValue={when.min_input_tokens ?? ""} onInput={(event) => set({ min_input_tokens: numberOf(event.currentTarget.value) })} /></label>
      <label>At most <input id={`${id}.when.max_input_tokens`} inputMode="numeric" autocomplete="off" defaultValue={when.max_input_tokens ?? ""} onInput={(event) => set({ max_input_tokens: numberOf(event.currentTarget.value) })} /></label>
      <label>Hours <input id={`${id}.when.hours`} autocomplete="off" placeholder="08:00-18:00, 22-24" defaultValue={typeof when.hours === "string" ? when.hours : (when.hours ?? []).join(", ")} onInput={(event) => set({ hours: event.currentTarget.value })} /></label>
      <label>Of the clock of <input id={`${id}.when.timezone`} autocomplete="off" placeholder="UTC" maxLength={64} defaultValue={when.timezone ?? ""} onInput={(event) => set({ timezone: event.currentTarget.value })} /></label>
      {WORDS.map(([name, title, hint]) => <label key={name}>{title} <input id={`${id}.when.${name}`} autocomplete="off" dir="auto" maxLength={2000} defaultValue={LIST.write(when[name])} onInput={(event) => set({ [name]: names(event.currentTarget.value) })} />{hint && <small>{hint}</small>}</label>)}
    </div>
  );
}

interface Text {
  readonly id: string;
  readonly value: string;
  readonly change: (text: string) => void;
}

function ProviderField({ id, value, change }: Text) {
  const [asked, setAsked] = useState(false);
  const providers = useGet<Page<Provider>>(asked ? "/admin/providers?limit=200" : null, { fresh: 60_000 });
  return (
    <>
      <input id={id} list={`${id}.list`} autocomplete="off" placeholder="any" maxLength={63} dir="auto" defaultValue={value} onFocus={() => setAsked(true)} onInput={(event) => change(event.currentTarget.value.trim())} />
      <datalist id={`${id}.list`}>{providers.data?.data.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}</datalist>
    </>
  );
}

/** Its provider's models are offered once one turns to it. */
function ModelField({ id, provider, value, change }: Text & { readonly provider: string }) {
  const [asked, setAsked] = useState(false);
  const query = new URLSearchParams({ limit: "200", ...(provider ? { provider } : {}) });
  const models = useGet<Page<PricedModel>>(asked ? `/admin/models?${query}` : null, { fresh: 60_000 });
  const names = [...new Set(models.data?.data.map((one) => one.model))];
  return (
    <>
      <input id={id} list={`${id}.list`} autocomplete="off" required maxLength={512} dir="auto" defaultValue={value} onFocus={() => setAsked(true)} onInput={(event) => change(event.currentTarget.value.trim())} />
      <datalist id={`${id}.list`}>{names.map((one) => <option key={one} value={one} />)}</datalist>
    </>
  );
}

/** When the next target is asked: the usual causes, or exactly those that are ticked. */
export function Causes({ name, text }: Kept) {
  const kept = useKept(name, text);
  const usual = kept.value === "";
  const chosen = usual ? USUAL_CAUSES : kept.value.split(" ");
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    box.current!.checked = usual;
  }, [usual]);
  const write = (causes: readonly string[]): void => kept.write(causes.join(" ") || "none");
  return (
    <>
      {kept.element}
      <label class="check"><input type="checkbox" ref={box} defaultChecked={usual} onInput={(event) => (event.currentTarget.checked ? kept.write("") : write(USUAL_CAUSES))} /> The usual causes</label>
      <div class="choices">
        {CAUSES.map(([one, words]) => <label key={`${one} ${usual} ${kept.epoch}`} class="check"><input type="checkbox" disabled={usual} defaultChecked={chosen.includes(one)} onInput={(event) => write(CAUSES.map(([each]) => each).filter((each) => (each === one ? event.currentTarget.checked : chosen.includes(each))))} /> {words}</label>)}
      </div>
    </>
  );
}

const CAUSE_LIST = {
  write: (value: unknown): string => (Array.isArray(value) ? value.join(" ") || "none" : ""),
  read: (text: string): unknown => (text === "" ? null : text.split(" ").filter((one) => CAUSES.some(([name]) => name === one))),
};
const SOME = { write: LIST.write, read: (text: string): unknown => LIST.read(text) ?? [] };

/** What a route does, for its form and for that of a backtest. */
export const POLICY_FIELDS: readonly Field[] = [
  { name: "strategy", label: "Order", kind: Object.keys(STRATEGIES).filter((one) => one !== "auto"), hint: "priority: as written; weighted: shares; least_latency: the quickest of late; lowest_cost: the cheapest for the request." },
  { name: "targets", label: "Targets", as: Targets, write: writeTargets, read: readTargets, words: targetsInWords },
  { name: "fallback_on", label: "The next target is asked when", as: Causes, words: causesInWords, ...CAUSE_LIST },
  { name: "require.capabilities", label: "Every target must be known to do", hint: "tools vision audio json_schema reasoning", ...SOME },
  { name: "require.regions", label: "Its provider keeps data only in", hint: "eu us. Empty allows any.", ...SOME },
  { name: "require.no_training", label: "Nothing may be trained on it", kind: "check", write: (value) => String(value === true) },
  { name: "affinity", label: "Keep a conversation where its cache is", kind: "check", write: (value) => String(value === true) },
  { name: "baseline", label: "Savings are counted against", hint: "provider/model. Empty: the dearest that could have served." },
  { name: "holdout_share", label: "Share held out to measure savings", kind: "number", hint: "0.02 sends two of a hundred requests to the baseline.", read: (text) => Number(text.trim() || 0) },
];
