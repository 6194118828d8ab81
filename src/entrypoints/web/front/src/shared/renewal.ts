/** When the session gets a new id while somebody works: twice a day, by one tab of all that are open. */
const KEY = "omg.renewed";
const EVERY_MILLISECONDS = 12 * 3_600_000;
const LOOK_MILLISECONDS = 60_000;

/** From now on the next half day counts, in every tab: a session that is new, or has just got its new id. */
export const renewed = (now = Date.now()): void => localStorage.setItem(KEY, String(now));

/** Whether it is time. The first time that anybody asks, the session is taken for new. */
export function isDue(now = Date.now()): boolean {
  const last = Number(localStorage.getItem(KEY) || Number.NaN);
  if (last <= now) return now - last >= EVERY_MILLISECONDS;
  renewed(now);
  return false;
}

let looking = false;

/** Renews what is old as long as the page is in view. The mark is set first, so that no other tab asks for the same. */
export function keepFresh(renew: () => Promise<void>): void {
  if (looking) return;
  looking = true;
  const look = (): void => {
    if (document.visibilityState !== "visible" || !isDue()) return;
    renewed();
    renew().catch(() => undefined); // an ended session is told of by what is asked next
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_MILLISECONDS);
  look();
}
