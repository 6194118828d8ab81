import { useState } from "preact/hooks";
import { getJson } from "./http";
import { useGet, type Loaded } from "./query";

interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor?: string | null;
}

export interface List<T> extends Omit<Loaded<Page<T>>, "data"> {
  /** What has come of it, in the list's order; undefined before anything has. */
  readonly data: readonly T[] | undefined;
  /** Asks for what follows; null where that was all. */
  readonly more: (() => void) | null;
}

/** Of most lists. */
export const idOf = (one: { readonly id: string }): string => one.id;

interface Options {
  readonly poll?: number;
}

/** A list page by page: a change asks for its beginning again, and what followed is asked for anew. */
export function useList<T>(path: string, of: (one: T) => string, options: Options = {}): List<T> {
  const first = useGet<Page<T>>(path, options);
  const [later, setLater] = useState<readonly Page<T>[]>([]);
  const [failed, setFailed] = useState<Error>();
  const pages = first.data ? [first.data, ...later] : [];
  const next = pages.at(-1)?.next_cursor ?? null;
  const more = (): void => {
    getJson<Page<T>>(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(next!)}`).then(
      (page) => setLater((known) => [...known, page]),
      setFailed,
    );
  };
  const reload = (): void => {
    setLater([]);
    setFailed(undefined);
    first.reload();
  };
  const rows = [...new Map(pages.flatMap((page) => page.data).map((one) => [of(one), one])).values()];
  return { ...first, ...(failed ? { error: failed } : {}), data: first.data && rows, more: next === null ? null : more, reload };
}

/** The object that the address opens: of the list, or asked for by itself where the list does not reach so far. */
export function useOpened<T>(list: List<T>, open: string | null, of: (one: T) => string, pathOf: (id: string) => string): T | undefined {
  const listed = list.data?.find((one) => of(one) === open);
  const asked = useGet<T>(open !== null && open !== "new" && list.data && !listed && list.more ? pathOf(open) : null);
  return listed ?? asked.data;
}

/** Whether there is more, and how it is had. */
export const More = <T,>({ of }: { readonly of: List<T> }) => (of.more ? <p><button type="button" class="btn" onClick={of.more}>Show more</button></p> : null);
