import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { bodyOf, changesOf, conflictsOf, flattened, inWords, written, type Change, type Field } from "./changes";
import { useDraft } from "./draft";
import { ApiError, call } from "./http";
import { ChangedThere, ofFile } from "./owner";
import { CopyCurl, curlOf, mark } from "./parts";
import { whileLoading } from "./settled";

type Shown = Readonly<Record<string, unknown>>;

interface Read {
  readonly whole: Shown;
  /** The same with the fields of its parts as `part.field`. */
  readonly shown: Shown;
  readonly tag: string | null;
}

interface Props {
  /** Where the object is read and changed. */
  readonly path: string;
  readonly fields: readonly Field[];
  readonly done: () => void;
  readonly label?: string;
  /** The object as a list has it: shown until it was read anew, so that the form has its height at once. */
  readonly listed?: object;
}

/** The object as it is now, and its tag, where the gateway gives one. */
async function read(path: string): Promise<Read> {
  const answer = await call("GET", path);
  const whole = (await answer.json()) as Shown;
  return { whole, shown: flattened(whole), tag: answer.headers.get("etag") };
}

/** Changes one object: reads it anew, lists `field: old → new`, sends only that, and shows both where another was quicker. */
export function ChangeForm({ path, fields, done, label = "Save changes", listed = {} }: Props) {
  const [found, setFound] = useState<{ readonly path: string; readonly known?: Read; readonly error?: Error }>({ path });
  useEffect(() => {
    let left = false;
    const tell = (now: typeof found): void => void (left || setFound(now));
    void whileLoading(read(path)).then((known) => tell({ path, known }), (error: Error) => tell({ path, error }));
    return () => {
      left = true;
    };
  }, [path]);
  const { known, error } = found.path === path ? found : {}; // never what is known of another object
  if (ofFile(known?.whole ?? listed)) return <ChangedThere />;
  const setKnown = (now: Read): void => setFound({ path, known: now });
  if (error) return <p class="fault" role="alert">{error.message}</p>;
  const first = flattened(listed as Shown);
  if (!known) return <fieldset class="form" disabled>{fields.map((field) => <Input key={field.name} field={field} value={first[field.name]} />)}<p class="buttons"><button class="btn primary">{label}</button></p></fieldset>;
  return <Fields key={path} path={path} fields={fields} done={done} label={label} known={known} setKnown={setKnown} />;
}

interface Known {
  readonly known: Read;
  readonly setKnown: (known: Read) => void;
}

function Fields({ path, fields, done, label, known, setKnown }: Required<Omit<Props, "listed">> & Known) {
  const box = useRef<HTMLFormElement>(null);
  const [asked, setAsked] = useState<readonly Change[]>();
  const [theirs, setTheirs] = useState<readonly Change[]>([]);
  const [said, setSaid] = useState<{ text: string; bad: boolean }>();
  const forget = useDraft(box, `${label} ${path}`);
  const text = (name: string): string => {
    if (fields.some((one) => one.name === name && one.choices)) return tickedIn(box.current!, name);
    const field = box.current!.elements.namedItem(name) as HTMLInputElement;
    return field.type === "checkbox" ? String(field.checked) : field.value;
  };
  const review = (event: SubmitEvent): void => {
    event.preventDefault();
    const changes = changesOf(fields, known.shown, text);
    setSaid(changes.length > 0 ? undefined : { text: "Nothing was changed.", bad: false });
    setAsked(changes.length > 0 ? changes : undefined);
  };
  const save = async (changes: readonly Change[]): Promise<void> => {
    const headers: Record<string, string> = known.tag ? { "if-match": known.tag } : {};
    await call("PATCH", path, { body: bodyOf(changes, known.whole), headers });
    forget();
    setKnown(await read(path));
    setAsked(undefined);
    setTheirs([]);
    setSaid({ text: "Saved.", bad: false });
    done();
  };
  const failed = async (problem: unknown): Promise<void> => {
    if (!(problem instanceof ApiError && problem.status === 412)) {
      setAsked(undefined);
      setSaid({ text: (problem as Error).message, bad: true });
      return mark(box.current!, problem);
    }
    const now = await read(path);
    const mine = changesOf(fields, known.shown, text);
    const left = changesOf(fields, now.shown, (name) => (mine.some((one) => one.field === name) ? text(name) : written(fields.find((one) => one.name === name)!, now.shown[name])));
    setTheirs(conflictsOf(mine, now.shown));
    setKnown(now);
    setAsked(left.length > 0 ? left : undefined);
    setSaid(left.length > 0 ? undefined : { text: "Somebody has saved the same meanwhile.", bad: false });
  };
  const saved = (changes: readonly Change[]): Promise<void> => save(changes).catch(failed).catch((problem: Error) => setSaid({ text: problem.message, bad: true }));
  return (
    <form class="form" ref={box} onSubmit={review}>
      {fields.map((field) => <Input key={field.name} field={field} value={known.shown[field.name]} />)}
      {said && <p class={said.bad ? "fault" : "quiet"} role={said.bad ? "alert" : "status"}>{said.text}</p>}
      {asked ? <Review key={JSON.stringify([asked, theirs])} fields={fields} changes={asked} theirs={theirs} command={curlOf(["PATCH", path, bodyOf(asked, known.whole)])} save={() => saved(asked)} back={() => { setAsked(undefined); setTheirs([]); }} /> : <p class="buttons"><button class="btn primary">{label}</button></p>}
    </form>
  );
}

const tickedIn = (form: HTMLFormElement, name: string): string =>
  [...form.elements].filter((one): one is HTMLInputElement => one instanceof HTMLInputElement && one.name === name && one.checked).map((one) => one.value).join(" ");

/** One box each; `of` are those that are ticked at first. */
export const Choices = ({ name, label, choices, of, hint }: { readonly name: string; readonly label: string; readonly choices: readonly (readonly [string, string])[]; readonly of: readonly string[]; readonly hint?: string | undefined }) => (
  <fieldset class="ticks"><legend>{label}</legend>{choices.map(([value, words]) => <label key={value} class="check"><input type="checkbox" name={name} value={value} defaultChecked={of.includes(value)} /> <span dir="auto">{words}</span></label>)}{hint && <small>{hint}</small>}</fieldset>
);

function Review({ fields, changes, theirs, command, save, back }: { readonly fields: readonly Field[]; readonly changes: readonly Change[]; readonly theirs: readonly Change[]; readonly command: string; readonly save: () => Promise<void>; readonly back: () => void }) {
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (document.activeElement === document.body) box.current!.focus(); // the button that was pressed has made room for this
  }, []);
  const words = (name: string, value: unknown): string => (fields.find((one) => one.name === name)?.words ?? inWords)(value);
  return (
    <div class="review" role="group" aria-label="What will change" tabIndex={-1} ref={box}>
      {theirs.length > 0 && <p class="fault" role="alert">Somebody has changed this meanwhile. What they wrote stands on the left, what you wrote on the right.</p>}
      <ul class="changes">{changes.map((one) => <li key={one.field}><code>{one.field}</code>: <span dir="auto">{words(one.field, one.old)}</span> → <b dir="auto">{words(one.field, one.new)}</b></li>)}</ul>
      <p class="buttons">
        <button type="button" class="btn" onClick={back}>Go on editing</button>
        <CopyCurl command={command} />
        <button type="button" class="btn primary" disabled={busy} onClick={() => { setBusy(true); void save().finally(() => setBusy(false)); }}>Save</button>
      </p>
    </div>
  );
}

/** A field with its label, holding a value. */
export function Input({ field, value }: { readonly field: Field; readonly value: unknown }) {
  const shared = { name: field.name, dir: "auto" as const, autocomplete: "off" };
  const text = written(field, value);
  const hint = field.hint && <small>{field.hint}</small>;
  if (field.as) return <div class="group" role="group" aria-label={field.label}><b>{field.label}</b>{hint}<field.as name={field.name} text={text} /></div>;
  if (field.choices) return <Choices name={field.name} label={field.label} choices={field.choices} of={text.split(" ")} hint={field.hint} />;
  if (field.kind === "check") return <label class="check"><input type="checkbox" name={field.name} defaultChecked={value === true} /> {field.label} {hint}</label>;
  if (field.kind === "lines") return <label>{field.label} <textarea {...shared} rows={4} defaultValue={text} />{hint}</label>;
  if (Array.isArray(field.kind)) return <label>{field.label} <select name={field.name}>{(field.kind as readonly string[]).map((one) => <option key={one} selected={one === text}>{one}</option>)}</select>{hint}</label>;
  return <label>{field.label} <input {...shared} maxLength={2000} defaultValue={text} {...(field.kind === "number" ? { inputMode: "decimal" as const } : {})} />{hint}</label>;
}
