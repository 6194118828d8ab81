import { useEffect, useState } from "preact/hooks";
import { address, setParams } from "./address";
import { periodOf, type Period } from "./period";
import { browserZone, isDay } from "./zones";

const KEY = "omg.timezone";
const LENGTHS = [1, 7, 30, 90];

/** The period of the address. The zone is written into it, so that a link shows what its sender saw. */
export function usePeriod(): Period {
  const params = new URLSearchParams(address.value.search);
  const given = params.has("timezone");
  if (!given) params.set("timezone", localStorage.getItem(KEY) ?? browserZone());
  const zone = params.get("timezone");
  useEffect(() => {
    if (!given) setParams({ timezone: zone });
  }, [given]);
  return periodOf(params);
}

/** Which days, and whose; `optional` where none need be chosen, and says whether none is. Everything that is chosen stands in the address. */
export function PeriodChoice({ period, optional }: { readonly period: Period; readonly optional?: boolean }) {
  const choose = (zone: string): void => {
    localStorage.setItem(KEY, zone);
    setParams({ timezone: zone });
  };
  const dates = (change: { from?: string; to?: string }): void => {
    const next = { from: period.from, to: period.to, ...change };
    if (isDay(next.from) && isDay(next.to)) setParams({ days: null, ...(next.from <= next.to ? next : change.from ? { from: next.from, to: next.from } : { from: next.to, to: next.to }) });
  };
  return (
    <div class="period" role="group" aria-label="Period">
      <span class="segments">
        {optional !== undefined && <button type="button" aria-pressed={optional} onClick={() => setParams({ days: null, from: null, to: null })}>any day</button>}
        {LENGTHS.map((one) => <button key={one} type="button" aria-pressed={!optional && one === period.days} onClick={() => setParams({ days: String(one), from: null, to: null })}>{one === 1 ? "today" : `${one} days`}</button>)}
      </span>
      <input type="date" aria-label="From" value={optional ? "" : period.from} onChange={(event) => dates({ from: event.currentTarget.value })} />
      <input type="date" aria-label="To" value={optional ? "" : period.to} onChange={(event) => dates({ to: event.currentTarget.value })} />
      <ZoneChoice zone={period.zone} choose={choose} />
    </div>
  );
}

/** The usual zones; all four hundred once somebody turns to it, so that a page does not carry them for nothing. */
function ZoneChoice({ zone, choose }: { readonly zone: string; readonly choose: (zone: string) => void }) {
  const [all, setAll] = useState(false);
  const own = browserZone();
  const usual = [...new Set([zone, own, "UTC"])];
  const open = (): void => setAll(true);
  return (
    <select aria-label="Time zone" value={zone} onPointerEnter={open} onFocus={open} onChange={(event) => choose(event.currentTarget.value)}>
      {usual.map((one) => <option key={one} value={one}>{one === own ? `${one} (here)` : one}</option>)}
      {all && <optgroup label="All zones">{Intl.supportedValuesOf("timeZone").filter((one) => !usual.includes(one)).map((one) => <option key={one}>{one}</option>)}</optgroup>}
    </select>
  );
}
