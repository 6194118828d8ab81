import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const ticks = (field: Element): field is HTMLInputElement => field instanceof HTMLInputElement && field.type === "checkbox";

/** Fields that may be kept: never a secret. */
const keeps = (field: Element): field is Field =>
  (field instanceof HTMLInputElement && !["password", "file", "radio"].includes(field.type)) || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;

const initial = (field: Field): string =>
  ticks(field) ? String(field.defaultChecked)
  : field instanceof HTMLSelectElement ? ([...field.options].find((one) => one.defaultSelected)?.value ?? field.options[0]?.value ?? "")
  : field.defaultValue; // prettier-ignore
const holds = (field: Field): string => (ticks(field) ? String(field.checked) : field.value);

/** Boxes of one name are told apart by their values. */
const nameOf = (field: Field): string => (ticks(field) ? `${field.name}=${field.value}` : field.name);

const fieldsOf = (form: HTMLFormElement): readonly Field[] => [...form.elements].filter(keeps).filter((field) => field.name !== "");

/** What a form's fields hold, by name: those that were changed, and no secret. */
const typed = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries(fieldsOf(form).filter((field) => holds(field) !== initial(field)).map((field) => [nameOf(field), holds(field)]));

/** Put back what was kept, into fields that nobody has touched; answers what had no field yet. */
function put(form: HTMLFormElement, kept: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const fields = new Map(fieldsOf(form).map((field) => [nameOf(field), field]));
  for (const [name, value] of Object.entries(kept)) {
    const field = fields.get(name);
    if (!field || holds(field) !== initial(field)) continue;
    if (ticks(field)) field.checked = value === "true";
    else field.value = value;
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true })); // what follows it, follows
  }
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !fields.has(name)));
}

/** Keep what is typed until it is sent, so that a reload or a lost session loses none of it. Answers a way to forget it. */
export function useDraft(form: RefObject<HTMLFormElement | null>, name: string): () => void {
  const key = `omg.draft ${location.pathname} ${new URLSearchParams(location.search).get("open") ?? ""} ${name}`;
  // As it is drawn: an effect comes later, when somebody may have typed already.
  useLayoutEffect(() => {
    const element = form.current!;
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Record<string, string>;
    const rest = put(element, kept);
    const later = setTimeout(() => void put(element, rest)); // fields that are drawn because of what was put into others
    const keep = (): void => {
      const now = typed(element);
      if (Object.keys(now).length > 0) sessionStorage.setItem(key, JSON.stringify(now));
      else sessionStorage.removeItem(key);
    };
    element.addEventListener("input", keep);
    return () => {
      clearTimeout(later);
      element.removeEventListener("input", keep);
    };
  }, []);
  return () => sessionStorage.removeItem(key);
}
