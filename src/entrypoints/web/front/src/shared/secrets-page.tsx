import type { ComponentChildren } from "preact";
import { address, setParams } from "./address";
import { More, idOf, useList, useOpened } from "./list";
import { CopyCurl, Drawer, Empty, Problem, Tag, curl } from "./parts";

/** What has a secret, which was shown once. */
interface Kept {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly last4: string;
}

interface Props<T extends Kept> {
  readonly title: string;
  /** Of the list in the API; one of them is at `path/{id}`. */
  readonly path: string;
  /** What it is called, as `key`. */
  readonly what: string;
  readonly intro?: ComponentChildren;
  /** What is said where there is none yet. */
  readonly none: string;
  /** What a row says beside name, state and the end of the secret. */
  readonly about: (one: T) => string;
  readonly create: (made: () => void) => ComponentChildren;
  readonly details: (one: T, changed: () => void) => ComponentChildren;
}

/** A list of keys or tokens; one is opened, or made, beside it. */
export function SecretsPage<T extends Kept>({ title, path, what, intro, none, about, create, details }: Props<T>) {
  const list = useList<T>(`${path}?limit=200`, idOf);
  const open = address.value.searchParams.get("open");
  const close = (): void => setParams({ open: null });
  const chosen = useOpened(list, open, idOf, (id) => `${path}/${encodeURIComponent(id)}`);
  return (
    <>
      <div class="head">
        <h1>{title}</h1>
        <span class="push" />
        <CopyCurl command={curl(`${path}?limit=200`)} />
        <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Make a {what}</button>
      </div>
      {intro && <p class="quiet">{intro}</p>}
      <Problem of={list} />
      {list.data?.length === 0 && <Empty>{none}</Empty>}
      <ul class="rows">
        {list.data?.map((one) => (
          <li key={one.id}>
            <button type="button" class="rowbutton" onClick={() => setParams({ open: one.id })}>
              <b dir="auto">{one.name || one.id}</b>
              <Tag state={one.status} />
              <span class="quiet" dir="auto">…{one.last4} · {about(one)}</span>
            </button>
          </li>
        ))}
      </ul>
      <More of={list} />
      {open === "new" && <Drawer title={`Make a ${what}`} close={close}>{create(list.reload)}</Drawer>}
      {chosen && <Drawer title={chosen.name || chosen.id} close={close}>{details(chosen, list.reload)}</Drawer>}
    </>
  );
}
