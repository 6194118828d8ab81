import { useEffect, useRef, useState } from "preact/hooks";
import { getAgain, getJson } from "../shared/http";
import type { Entry, Page } from "./types";

const PAGE = 100;
const POLL_MILLISECONDS = 2000;

/** Rows that are not among those that are known, in their order. */
export function unknownOf(found: readonly Entry[], known: readonly Entry[]): readonly Entry[] {
  const ids = new Set(known.map((one) => one.id));
  return found.filter((one) => !ids.has(one.id));
}

/** The log in pages; `following` asks for newer rows, which wait while `reading` says that somebody reads. */
export function useRows(query: string, following: boolean, reading: () => boolean) {
  const [rows, setRows] = useState<readonly Entry[]>([]);
  const [waiting, setWaiting] = useState<readonly Entry[]>([]);
  const [error, setError] = useState<Error>();
  const [loaded, setLoaded] = useState("");
  const [older, newest] = [useRef<string | null>(null), useRef<string | null>(null)];
  const [busy, asked] = [useRef(false), useRef(query)];
  asked.current = query;
  const page = (more: Readonly<Record<string, string>>, get = getJson): Promise<Page<Entry>> => get(`/admin/requests?${new URLSearchParams([...new URLSearchParams(query), ["limit", String(PAGE)], ...Object.entries(more)])}`);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (busy.current) return;
    busy.current = true;
    try {
      await work();
      setError(undefined);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      busy.current = false;
    }
  };
  const load = async (): Promise<void> => {
    const first = await page({});
    if (asked.current !== query) return;
    [older.current, newest.current] = [first.next_cursor, first.previous_cursor ?? null];
    setRows(first.data);
    setWaiting([]);
    setLoaded(query);
  };
  const more = async (): Promise<void> => {
    if (older.current === null) return;
    const next = await page({ cursor: older.current });
    if (asked.current !== query) return;
    older.current = next.next_cursor;
    setRows((known) => [...known, ...next.data]);
  };
  const newer = async (): Promise<void> => {
    const found = await page(newest.current ? { after: newest.current } : {}, getAgain);
    if (asked.current !== query) return;
    newest.current = found.previous_cursor ?? newest.current;
    if (reading()) setWaiting((held) => [...unknownOf(found.data, [...held, ...rows]), ...held]);
    else setRows((known) => [...unknownOf([...unknownOf(found.data, waiting), ...waiting], known), ...known]);
    if (!reading()) setWaiting([]);
  };
  useEffect(() => {
    busy.current = false;
    void attempt(load);
  }, [query]);
  useWhileVisible(following ? () => void attempt(newer) : null);
  const showWaiting = (): void => {
    setRows((known) => [...unknownOf(waiting, known), ...known]);
    setWaiting([]);
  };
  return { rows: loaded === query ? rows : [], waiting: waiting.length, showWaiting, loaded: loaded === query, error, reload: () => void attempt(load), more: () => void attempt(more) };
}

/** Does it every two seconds while the page is in view: the newest of what it was given. */
function useWhileVisible(work: (() => void) | null): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    if (work === null) return;
    const timer = setInterval(() => document.visibilityState === "visible" && latest.current?.(), POLL_MILLISECONDS);
    return () => clearInterval(timer);
  }, [work === null]);
}
