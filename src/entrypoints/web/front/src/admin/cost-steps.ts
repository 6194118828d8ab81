import type { PriceList, Rates, Tier } from "./types";

/** What one call used, as far as steps need it. */
export interface Used {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly reasoning_tokens: number;
}

export interface Step {
  readonly what: string;
  readonly tokens: number;
  /** USD per million tokens. */
  readonly price: string;
  readonly cost: string;
}

const DIGITS = 15; // nano-USD per million tokens: what a token costs is exact at so many decimals
const NANO = 10n ** 6n;
const FALLS_BACK: Readonly<Record<string, string>> = { cache_write_1h: "cache_write", cache_read: "input", cache_write: "input", reasoning: "output" };

/** A decimal string as a whole number of units of so many decimals; exact, since money is never a float here. */
function scaled(text: string, decimals: number): bigint {
  const [whole = "0", part = ""] = text.split(".");
  return BigInt(whole + part.slice(0, decimals).padEnd(decimals, "0"));
}

function decimal(value: bigint, decimals: number): string {
  const text = value.toString().padStart(decimals + 1, "0");
  const part = text.slice(-decimals).replace(/0+$/, "");
  return `${text.slice(0, -decimals)}${part ? `.${part}` : ""}`;
}

const priceOf = (rates: Rates, meter: string): string | null => {
  const own = rates[meter];
  return typeof own === "string" ? own : FALLS_BACK[meter] ? priceOf(rates, FALLS_BACK[meter]) : null;
};

function ratesFor(prices: PriceList, input: number): Rates {
  const reached = (prices.tiers ?? []).filter((tier: Tier) => input > tier.above_input_tokens).sort((a, b) => b.above_input_tokens - a.above_input_tokens)[0];
  return reached ? { ...prices, ...reached } : prices;
}

/** What a call cost, kind by kind: tokens × price. `sum` is rounded half up to a nano-USD once, as the books do. */
export function stepsOf(used: Used, prices: PriceList): { readonly steps: readonly Step[]; readonly sum: string } | null {
  const rates = ratesFor(prices, used.input_tokens);
  const kinds: readonly (readonly [string, string, number])[] = [
    ["tokens in", "input", used.input_tokens - used.cache_read_tokens - used.cache_write_tokens],
    ["tokens from the cache", "cache_read", used.cache_read_tokens],
    ["tokens into the cache", "cache_write", used.cache_write_tokens - used.cache_write_1h_tokens],
    ["tokens into the cache for an hour", "cache_write_1h", used.cache_write_1h_tokens],
    ["tokens out", "output", used.output_tokens - used.reasoning_tokens],
    ["tokens of reasoning", "reasoning", used.reasoning_tokens],
  ];
  const steps: Step[] = [];
  let total = 0n;
  for (const [what, meter, tokens] of kinds) {
    if (tokens <= 0) continue;
    const price = priceOf(rates, meter);
    if (price === null) return null;
    const cost = BigInt(tokens) * scaled(price, DIGITS - 6);
    total += cost;
    steps.push({ what, tokens, price, cost: decimal(cost, DIGITS) });
  }
  return { steps, sum: decimal((total + NANO / 2n) / NANO, DIGITS - 6) };
}

/** What the books have beyond the steps: variants by the answer's terms, fees, and what is not sold by the token. */
export function beyond(booked: string, sum: string): string | null {
  const difference = scaled(booked, DIGITS - 6) - scaled(sum, DIGITS - 6);
  return difference === 0n ? null : `${difference < 0n ? "-" : ""}${decimal(difference < 0n ? -difference : difference, DIGITS - 6)}`;
}
