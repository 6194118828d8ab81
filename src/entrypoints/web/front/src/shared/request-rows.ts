import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry, Page } from "../admin/types";
import { getAgain, getJson } from "./http";

const PAGE = 100;
const POLL_MILLISECONDS = 2000;

/** Rows that are not among those that are known, in their order. */
export function unknownOf(found: readonly Entry[], known: readonly Entry[]): readonly Entry[] {
  const ids = new Set(known.map((one) => one.id));
  return found.filter((one) => !ids.has(one.id));
}

/** The log at `path` in pages; `following` asks for newer rows, which wait while `reading` says that somebody reads. */
export function useRows(path: string, query: string, following = false, reading: () => boolean = () => false) {
  const [rows, setRows] = useState<readonly Entry[]>([]);
  const [waiting, setWaiting] = useState<readonly Entry[]>([]);
  const [error, setError] = useState<Error>();
  const [loaded, setLoaded] = useState("");
  const [older, newest] = [useRef<string | null>(null), useRef<string | null>(null)];
  const [under, asked] = [useRef<Promise<void>>(undefined), useRef(query)];
  asked.current = query;
  const page = (more: Readonly<Record<string, string>>, get = getJson): Promise<Page<Entry>> => get(`${path}?${new URLSearchParams([...new URLSearchParams(query), ["limit", String(PAGE)], ...Object.entries(more)])}`);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    if (under.current) return;
    const mine = (under.current = work());
    const counts = (): boolean => under.current === mine; // else the query has changed, and another one is asked
    try {
      await mine;
      if (counts()) setError(undefined);
    } catch (problem) {
      if (counts()) setError(problem as Error);
    } finally {
      if (counts()) under.current = undefined;
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
    if (reading()) return setWaiting((held) => [...unknownOf(found.data, [...held, ...rows]), ...held]);
    setRows((known) => [...unknownOf([...unknownOf(found.data, waiting), ...waiting], known), ...known]);
    setWaiting([]);
  };
  useEffect(() => {
    under.current = undefined; // what is under way is of another query
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
