import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { go, setParams } from "../shared/address";
import { useModal } from "../shared/modal";

export interface Target {
  readonly title: string;
  readonly href: string;
  /** After `g`. */
  readonly key: string;
}

const LISTED = [
  ["Ctrl K", "find a page"], ["/", "filter"], ["c", "make a new one"], ["j, k, ↓, ↑", "the next or previous row"], ["Enter", "open the row"], ["Esc", "close"], ["?", "this list"],
] as const; // prettier-ignore

const typing = (target: EventTarget | null): boolean => target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Letters that do something anywhere but in a field, and the two dialogs that find a page and list the letters. */
export function Keys({ targets }: { readonly targets: readonly Target[] }) {
  const [shown, setShown] = useState<"find" | "list" | "">("");
  const going = useRef(false);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        return setShown("find");
      }
      if (event.key === "Escape" && typing(event.target)) (event.target as HTMLElement).blur();
      if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const target = going.current ? targets.find((one) => one.key !== "" && one.key === event.key) : undefined;
      going.current = event.key === "g";
      if (target) go(target.href);
      else if (event.key === "?") setShown("list");
      else if (event.key === "/") document.getElementById("filter")?.focus();
      else if (event.key === "c" && creates()) setParams({ open: "new" });
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [targets]);
  const close = (): void => setShown("");
  if (shown === "find") return <Find targets={targets} close={close} />;
  return shown === "list" ? <List targets={targets} close={close} /> : null;
}

/** Pages on which something is made are those with a button for it. */
const creates = (): boolean => document.querySelector("main .btn.primary[data-new]") !== null;

function Find({ targets, close }: { readonly targets: readonly Target[]; readonly close: () => void }) {
  const { dialog, leave } = useModal(close);
  const [search, setSearch] = useState("");
  const wanted = search.toLowerCase().trim();
  const id = /^(req|dec)_\w+$/.test(search.trim());
  const found = [
    ...targets.filter((one) => one.title.toLowerCase().includes(wanted)),
    ...(id ? [{ title: `Request ${search.trim().startsWith("dec_") ? "of " : ""}${search.trim()}`, href: `/app/admin/requests?open=${search.trim()}` }] : []),
    ...(wanted && !id ? [{ title: `Routes like “${search.trim()}”`, href: `/app/admin/routes?${new URLSearchParams({ q: search.trim() })}` }] : []),
    ...(wanted && !id ? [{ title: `Models like “${search.trim()}”`, href: `/app/admin/models?${new URLSearchParams({ q: search.trim() })}` }] : []),
  ];
  const take = (event: SubmitEvent): void => {
    event.preventDefault();
    leave();
    if (found[0]) go(found[0].href);
  };
  return (
    <dialog class="jump" {...dialog} aria-label="Find">
      <form onSubmit={take}>
        <input type="search" aria-label="Page, request, decision, route or model" placeholder="page, request or decision id, route, model" value={search} onInput={(event) => setSearch(event.currentTarget.value)} autofocus />
        <ul class="list">{found.map((one) => <li key={one.href}><a href={one.href} onClick={leave}>{one.title}</a></li>)}</ul>
      </form>
    </dialog>
  );
}

function List({ targets, close }: { readonly targets: readonly Target[]; readonly close: () => void }) {
  const { dialog, leave } = useModal(close);
  return (
    <dialog class="jump" {...dialog} aria-labelledby="keys-title">
      <header class="head"><h2 id="keys-title">Keys</h2><span class="push" /><button type="button" class="btn" onClick={leave}>Close</button></header>
      <dl class="pairs" tabIndex={0}>
        {LISTED.map(([key, does]) => [<dt key={key}><kbd>{key}</kbd></dt>, <dd key={`${key} does`}>{does}</dd>])}
        {targets.filter((one) => one.key).map((one) => [<dt key={one.key}><kbd>g {one.key}</kbd></dt>, <dd key={`${one.key} does`}>{one.title}</dd>])}
      </dl>
    </dialog>
  );
}
