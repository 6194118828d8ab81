import { exactUsd } from "../shared/format";
import type { PriceList, PricedModel, Rates } from "./types";

/** Which models are shown. */
export const STATES = {
  priced: { title: "with a price", is: (one: PricedModel) => one.price_id !== null },
  unpriced: { title: "unpriced", is: (one: PricedModel) => one.price_id === null },
  own: { title: "own price", is: (one: PricedModel) => one.source === "admin" },
  ending: { title: "ending", is: (one: PricedModel) => one.retired_at !== null || one.deprecated_at !== null },
} as const;

export type State = keyof typeof STATES;

export const isState = (name: string | null): name is State => name !== null && Object.hasOwn(STATES, name);

/** Every word of a search has to be somewhere in the name, the maker or the capabilities. */
export function matches(one: PricedModel, search: string, state: State | null): boolean {
  if (state && !STATES[state].is(one)) return false;
  const text = `${one.provider}/${one.model} ${one.owned_by} ${one.capabilities.join(" ")}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A meter's price, "–" where it has none of its own. */
export function rate(one: PricedModel, meter: string): string {
  if (one.prices === null) return "unpriced";
  const price = one.prices[meter];
  return typeof price === "string" ? exactUsd(price) : "–";
}

export function endOf(one: Pick<PricedModel, "retired_at" | "deprecated_at">, today = new Date().toISOString().slice(0, 10)): string {
  if (one.retired_at) return one.retired_at <= today ? `gone ${one.retired_at}` : one.retired_at;
  return one.deprecated_at ? "deprecated" : "";
}

export interface PriceLine {
  /** For which requests: "" for all, "above 200,000 input tokens", "service_tier:priority". */
  readonly when: string;
  readonly what: string;
  readonly price: string;
  readonly per: string;
}

const NOT_METERS = ["tiers", "variants", "fees", "above_input_tokens"];

function linesOf(when: string, rates: Rates): PriceLine[] {
  const meters = Object.entries(rates).filter((one): one is [string, string] => !NOT_METERS.includes(one[0]) && typeof one[1] === "string");
  const fees = Object.entries(rates.fees ?? {});
  return [
    ...meters.map(([name, price]) => ({ when, what: name.replaceAll("_", " "), price: exactUsd(price), per: "1M tokens" })),
    ...fees.map(([name, price]) => ({ when, what: name.replaceAll("_", " "), price: exactUsd(price), per: "call" })),
  ];
}

function tiersOf(when: string, rates: { readonly tiers?: PriceList["tiers"] }): PriceLine[] {
  return (rates.tiers ?? []).flatMap((tier) => linesOf(`${when ? `${when}, ` : ""}above ${tier.above_input_tokens.toLocaleString("en")} tokens in`, tier));
}

/** Everything that a price list says, one line each: meters, tiers, variants, fees, and what is not sold by the token. */
export function priceLines(one: Pick<PricedModel, "prices" | "units">): readonly PriceLine[] {
  const { prices, units = {} } = one;
  const variants = Object.entries(prices?.variants ?? {});
  return [
    ...(prices ? [...linesOf("", prices), ...tiersOf("", prices)] : []),
    ...variants.flatMap(([when, rates]) => [...linesOf(when, rates), ...tiersOf(when, rates)]),
    ...Object.entries(units).flatMap(([unit, by]) => Object.entries(by).map(([which, price]) => ({ when: which === "*" ? "" : which, what: unit.replaceAll("_", " "), price: exactUsd(price), per: unit.replaceAll("_", " ") }))),
  ];
}
