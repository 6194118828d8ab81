import { usd } from "../shared/format";
import type { Message, Model } from "./types";

/** Sums of decimal strings, in whole nano-dollars, so that no digit is lost. */
export function sumUsd(amounts: readonly string[]): string {
  const nano = amounts.reduce((sum, amount) => sum + nanoOf(amount), 0n);
  const digits = String(nano).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function nanoOf(amount: string): bigint {
  const [whole = "0", decimals = ""] = amount.split(".");
  return BigInt(whole + decimals.padEnd(9, "0").slice(0, 9));
}

/** What a conversation cost, every answer of it, shown or not; and whether the price of some is not known. */
export function totalOf(messages: readonly Message[]): { readonly cost: string; readonly tokens: number; readonly unpriced: boolean } {
  const answers = messages.filter((one) => one.role === "assistant");
  return {
    cost: usd(sumUsd(answers.flatMap((one) => (one.cost_usd === null ? [] : [one.cost_usd])))),
    tokens: answers.reduce((sum, one) => sum + (one.tokens_input ?? 0) + (one.tokens_output ?? 0), 0),
    unpriced: answers.some((one) => one.unpriced),
  };
}

/** "$0.35 in, $0.75 out" for a million tokens; nothing where the price is not known. */
export function priceOf(model: Model): string {
  const { input, output } = model.pricing ?? {};
  if (input === undefined || output === undefined) return "";
  return Number(input) === 0 && Number(output) === 0 ? "free" : `${usd(input)} in, ${usd(output)} out`;
}
