import { useEffect, useRef, useState } from "preact/hooks";
import { getJson } from "./http";
import { useGet, type Loaded, type Options } from "./query";
import { joined, type Page } from "./pages-of-list";

export interface List<T> extends Omit<Loaded<Page<T>>, "data"> {
  /** What has come of it, in the list's order; undefined before anything has. */
  readonly data: readonly T[] | undefined;
  /** Asks for what follows; null where that was all. */
  readonly more: (() => void) | null;
}

/** Of most lists. */
export const idOf = (one: { readonly id: string }): string => one.id;

/** What was asked for behind the beginning: it belongs to the address and the beginning that it was asked behind. */
interface Later<T> {
  readonly path: string;
  readonly pages: readonly Page<T>[];
  readonly error?: Error;
}

/** A list page by page: a change asks for its beginning again, and what followed is asked for anew. */
export function useList<T>(path: string, of: (one: T) => string, options: Options = {}): List<T> {
  const first = useGet<Page<T>>(path, options);
  const [known, setKnown] = useState<Later<T>>({ path, pages: [] });
  const asking = useRef<AbortController>(undefined);
  const stop = (): void => {
    asking.current?.abort();
    asking.current = undefined;
  };
  useEffect(() => stop, [path]);
  const later = known.path === path ? known : { path, pages: [] }; // never rows of another list behind this one's
  const pages = later.pages.length > 0 ? later.pages : first.data ? [first.data] : [];
  const next = pages.at(-1)?.next_cursor ?? null;
  const more = (): void => {
    if (asking.current) return;
    const { signal } = (asking.current = new AbortController());
    getJson<Page<T>>(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(next!)}`, signal).then(
      (page) => {
        if (signal.aborted) return;
        asking.current = undefined;
        setKnown({ path, pages: [...pages, page] }); // with the beginning as it was: a newer one may end elsewhere
      },
      (error: Error) => {
        if (signal.aborted) return;
        asking.current = undefined;
        setKnown({ ...later, error });
      },
    );
  };
  const reload = (): void => {
    stop();
    setKnown({ path, pages: [] });
    first.reload();
  };
  const rows = first.data && joined([first.data, ...later.pages], of);
  return { ...first, ...(later.error ? { error: later.error } : {}), data: rows, more: next === null ? null : more, reload };
}

/** The object that the address opens: of the list, or asked for by itself where the list does not reach so far. */
export function useOpened<T>(list: List<T>, open: string | null, of: (one: T) => string, pathOf: (id: string) => string): T | undefined {
  const listed = list.data?.find((one) => of(one) === open);
  const asked = useGet<T>(open !== null && open !== "new" && list.data && !listed && list.more ? pathOf(open) : null);
  return listed ?? asked.data;
}

/** Whether there is more, and how it is had. */
export const More = <T,>({ of, words = "Show more" }: { readonly of: List<T>; readonly words?: string }) => (of.more ? <p><button type="button" class="btn" onClick={of.more}>{words}</button></p> : null);
