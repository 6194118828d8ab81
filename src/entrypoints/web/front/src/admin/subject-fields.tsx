import { useState } from "preact/hooks";
import { useGet } from "../shared/query";
import { SUBJECTS } from "./subjects";

interface Named {
  readonly id: string;
  readonly name?: string | null;
  readonly email?: string | null;
}

/** Whom it is for: a kind, and an id, of which those that are known are proposed. */
export function SubjectFields() {
  const [at, setAt] = useState(0);
  const [, , hint, path] = SUBJECTS[at]!;
  const known = useGet<{ readonly data: readonly Named[] }>(path, { fresh: 60_000 });
  return (
    <>
      <label>For <select name="subject_kind" onChange={(event) => setAt(event.currentTarget.selectedIndex)}>{SUBJECTS.map(([kind, title]) => <option key={kind} value={kind}>{title}</option>)}</select></label>
      <label>Whose <input name="subject" required maxLength={512} autocomplete="off" dir="auto" list="subjects" /><small>{hint}</small></label>
      <datalist id="subjects">{known.data?.data.map((one) => <option key={one.id} value={one.id}>{one.name || one.email || one.id}</option>)}</datalist>
    </>
  );
}

/** What the fields say. */
export const subjectOf = (form: FormData) => ({ kind: String(form.get("subject_kind")), id: String(form.get("subject")).trim() });
