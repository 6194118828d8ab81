import { setParams } from "../shared/address";

/** The filters in force, each a button that takes it away. */
export function Chosen({ filters }: { readonly filters: Readonly<Record<string, string>> }) {
  const names = Object.keys(filters);
  if (names.length === 0) return null;
  return (
    <div class="chips" role="group" aria-label="Filters in force">
      {names.map((name) => (
        <button key={name} type="button" class="chip" aria-pressed="true" onClick={() => setParams({ [name]: null })}>
          {name.replace(/_id$/, "").replaceAll("_", " ")}: <span dir="auto">{filters[name]}</span> <span aria-hidden="true">✕</span><span class="sr">take away</span>
        </button>
      ))}
    </div>
  );
}
