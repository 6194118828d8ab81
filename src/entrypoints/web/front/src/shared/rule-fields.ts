import type { Field } from "./changes";
import { readBudgets, writeBudgets } from "./budget-lines";

const COUNTS = [
  ["rpm", "requests a minute"],
  ["rpd", "requests a day"],
  ["tpm", "tokens a minute"],
  ["tpd", "tokens a day"],
  ["itpm", "tokens in a minute"],
  ["otpm", "tokens out a minute"],
  ["parallel", "requests at once"],
] as const;
/** A field for each limit of a part of an object, as `part.rpm`; `of` says whose. */
export const limitsOf = (part: string, of: string): readonly Field[] => COUNTS.map(([name, what]) => ({ name: `${part}.${name}`, label: `${of}: ${what}`, kind: "number" as const }));
/** Budgets as text, one a line. */
export const BUDGETS = { kind: "lines", write: writeBudgets, read: readBudgets } as const;
