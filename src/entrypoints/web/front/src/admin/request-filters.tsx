import { setParams } from "../shared/address";
import { Chosen } from "./filters";
import { SHARED_FILTERS } from "./groupings";

const OUTCOMES = ["ok", "error", "client_cancelled", "interrupted"];
const FLAGS = [["refused", "refused"], ["unpriced", "unpriced"], ["estimated", "counted by us"], ["stream", "streams"]] as const;

/** Filters that take a text, in words. */
const TEXTS = [
  ["model", "model"], ["requested_model", "asked for model"], ["provider", "provider"], ["key_id", "key id"], ["user_id", "user id"],
  ["tenant_id", "tenant id"], ["status", "status"], ["error_code", "error code"], ["endpoint", "endpoint"], ["session", "session"],
  ["end_user", "end user"], ["route", "route"], ["tag", "tag"], ["task", "task"], ["device", "device"],
] as const; // prettier-ignore

export const FILTERS: readonly string[] = ["outcome", "status", "error_code", "requested_model", "refused", "unpriced", "estimated", "stream", ...SHARED_FILTERS];

/** The filters of an address, and nothing else of it. */
export const filtersOf = (params: URLSearchParams): Readonly<Record<string, string>> => Object.fromEntries([...params].filter(([name, value]) => FILTERS.includes(name) && value !== ""));

/** Outcomes and flags as switches, everything else by name and text; what is in force is a button that takes it away. */
export function RequestFilters({ filters }: { readonly filters: Readonly<Record<string, string>> }) {
  const { outcome: _, ...others } = Object.fromEntries(Object.entries(filters).filter(([name]) => !FLAGS.some(([flag]) => flag === name)));
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const found = new FormData(form);
    const value = String(found.get("value")).trim();
    if (value) setParams({ [String(found.get("filter"))]: value });
    form.reset();
  };
  return (
    <>
      <div class="chips" role="group" aria-label="Filters">
        {OUTCOMES.map((one) => <button key={one} type="button" class="chip" aria-pressed={filters["outcome"] === one} onClick={() => setParams({ outcome: filters["outcome"] === one ? null : one })}>{one.replaceAll("_", " ")}</button>)}
        {FLAGS.map(([name, title]) => <button key={name} type="button" class="chip" aria-pressed={filters[name] === "true"} onClick={() => setParams({ [name]: filters[name] === "true" ? null : "true" })}>{title}</button>)}
        <form class="inline" onSubmit={add}>
          <select name="filter" aria-label="Filter by">{TEXTS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</select>
          <input name="value" id="filter" aria-label="Is" placeholder="is" autocomplete="off" dir="auto" maxLength={512} />
          <button class="btn">Filter</button>
        </form>
      </div>
      <Chosen filters={others} />
    </>
  );
}
