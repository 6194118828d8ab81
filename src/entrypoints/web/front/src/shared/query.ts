import { signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { getAgain, getJson } from "./http";
import { latest, type Latest } from "./latest";

export interface Loaded<T> {
  readonly data?: T;
  readonly error?: Error;
  readonly at?: number;
  readonly busy: boolean;
  readonly reload: () => void;
}

/** Whether an answer has come, of whichever kind: what stands below may be shown, since nothing above will push it down. */
export const known = (one: Loaded<unknown>): boolean => one.data !== undefined || one.error !== undefined;

type State<T> = Omit<Loaded<T>, "reload">;

/** What is known of an address, and which of the answers to come it may still take. */
interface Kept<T> {
  readonly state: Signal<State<T>>;
  readonly order: Latest;
}

const cache = new Map<string, Kept<unknown>>();

/** Forget what is known of addresses that begin so: after a change, what is shown next is asked anew. */
export function forget(prefix: string): void {
  for (const path of cache.keys()) if (path.startsWith(prefix)) cache.delete(path);
}

export interface Options {
  /** Milliseconds for which what is known is not asked again. */
  readonly fresh?: number;
  /** Milliseconds between questions while the page is visible. */
  readonly poll?: number;
}

/** What a GET answers, kept by its address: shown at once when known, asked again when older than `fresh`. */
export function useGet<T>(path: string | null, options: Options = {}): Loaded<T> {
  const { state, order } = useMemo(() => {
    const known = (path === null ? undefined : cache.get(path)) ?? { state: signal<State<unknown>>({ busy: false }), order: latest() };
    if (path !== null) cache.set(path, known);
    return known as Kept<T>;
  }, [path]);
  const load = async (abort?: AbortSignal): Promise<void> => {
    if (path === null) return;
    const counts = order.ask();
    state.value = { ...state.value, busy: true };
    try {
      const get = state.value.data === undefined ? getJson : getAgain;
      const data = await get<T>(path, abort);
      if (counts()) state.value = { data, at: Date.now(), busy: false };
    } catch (error) {
      if (abort?.aborted) state.value = { ...state.value, busy: false };
      else if (counts()) state.value = { ...state.value, error: error as Error, busy: false };
    }
  };
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    if (Date.now() - (state.value.at ?? 0) > (options.fresh ?? 5_000)) void load(stop.signal);
    const again = (): void => void (document.visibilityState === "visible" && load(stop.signal));
    const timer = options.poll ? setInterval(again, options.poll) : undefined;
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [path]);
  return { ...state.value, reload: () => void load() };
}
