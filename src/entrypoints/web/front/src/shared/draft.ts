import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Fields whose text may be kept: never a secret. */
const keeps = (field: Element): field is Field =>
  (field instanceof HTMLInputElement && !["password", "file", "checkbox", "radio"].includes(field.type)) || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;

/** What a form's fields hold, by name: those that were changed, and no secret. */
function typed(form: HTMLFormElement): Record<string, string> {
  const fields = [...form.elements].filter(keeps).filter((field) => field.name && field.value !== initial(field));
  return Object.fromEntries(fields.map((field) => [field.name, field.value]));
}

const initial = (field: Field): string => (field instanceof HTMLSelectElement ? ([...field.options].find((one) => one.defaultSelected)?.value ?? field.options[0]?.value ?? "") : field.defaultValue);

/** Keep what is typed until it is sent, so that a reload or a lost session loses none of it. Answers a way to forget it. */
export function useDraft(form: RefObject<HTMLFormElement | null>, name: string): () => void {
  const key = `omg.draft ${location.pathname} ${new URLSearchParams(location.search).get("open") ?? ""} ${name}`;
  useEffect(() => {
    const element = form.current!;
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Record<string, string>;
    for (const [field, value] of Object.entries(kept)) {
      const found = element.elements.namedItem(field);
      if (!(found instanceof Element && keeps(found))) continue;
      found.value = value;
      found.dispatchEvent(new Event("input", { bubbles: true })); // what shows it in parts reads it anew
    }
    const keep = (): void => {
      const now = typed(element);
      if (Object.keys(now).length > 0) sessionStorage.setItem(key, JSON.stringify(now));
      else sessionStorage.removeItem(key);
    };
    element.addEventListener("input", keep);
    return () => element.removeEventListener("input", keep);
  }, []);
  return () => sessionStorage.removeItem(key);
}
