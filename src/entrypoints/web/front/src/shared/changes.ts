import type { ComponentType } from "preact";

/** What shows a field of more than one line: it keeps its text in a field of the form of this name. */
export type Shows = ComponentType<{ readonly name: string; readonly text: string }>;

/** One field of an object that a form changes: how its value is written into the input, and read back. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly kind?: "text" | "number" | "lines" | "check" | readonly string[];
  /** Instead of an input: the text of the value is edited by this. */
  readonly as?: Shows;
  /** The value in a list of changes. */
  readonly words?: (value: unknown) => string;
  /** Of a list of few known values: each with its name, to be ticked. */
  readonly choices?: readonly (readonly [string, string])[];
  readonly write?: (value: unknown) => string;
  readonly read?: (text: string) => unknown;
}

export interface Change {
  readonly field: string;
  readonly old: unknown;
  readonly new: unknown;
}

export const written = (field: Field, value: unknown): string => (field.write ? field.write(value) : value === null || value === undefined ? "" : String(value));

/** What an input's text means. An empty one is null: back to the default. */
export const readOf = (field: Field, text: string): unknown => {
  if (field.read) return field.read(text);
  if (field.kind === "check") return text === "true";
  if (text.trim() === "") return null;
  return field.kind === "number" ? Number(text) : text;
};

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** What differs between an object and what its form holds; only that is sent. */
export function changesOf(fields: readonly Field[], shown: Readonly<Record<string, unknown>>, texts: (name: string) => string): readonly Change[] {
  return fields
    .filter((field) => texts(field.name) !== written(field, shown[field.name]))
    .map((field) => ({ field: field.name, old: shown[field.name] ?? null, new: readOf(field, texts(field.name)) }))
    .filter((change) => !same(change.old, change.new));
}

/** What another has changed meanwhile in the fields that a form is about to change. */
export function conflictsOf(changes: readonly Change[], theirs: Readonly<Record<string, unknown>>): readonly Change[] {
  return changes.filter((change) => !same(change.old, theirs[change.field])).map((change) => ({ ...change, old: theirs[change.field] ?? null }));
}

/** A value in words: null is the default, a list its entries. */
export const inWords = (value: unknown): string =>
  value === null || value === undefined ? "nothing" : value === "" ? "no text" : typeof value === "string" ? value : Array.isArray(value) && value.every((one) => typeof one === "string") ? value.join(", ") || "nothing at all" : JSON.stringify(value);

/** Names or patterns with spaces between. An empty text is null, which inherits. */
export const LIST = {
  write: (value: unknown): string => (Array.isArray(value) ? value.join(" ") : ""),
  read: (text: string): unknown => {
    const entries = text.split(/[\s,]+/).filter(Boolean);
    return entries.length > 0 ? entries : null;
  },
};

/** A list of which each entry is one of these, in their order. */
export const ticked = (choices: readonly (readonly [string, string])[]) => ({
  choices,
  write: (value: unknown): string => choices.filter(([one]) => Array.isArray(value) && value.includes(one)).map(([one]) => one).join(" "),
  read: (text: string): unknown => text.split(" ").filter(Boolean),
});

/** `{key: {rpm: 60}}` as `{"key.rpm": 60}`: fields of parts as fields of the whole, so that a form can show them. */
export function flattened(shown: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const parts = Object.entries(shown).map(([name, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one]) : [[name, value]],
  );
  return Object.fromEntries(parts.flat()) as Record<string, unknown>;
}

/** The body of a change: a part of which a field was changed goes as a whole, since that is how it is replaced. */
export function bodyOf(changes: readonly Change[], shown: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const body: Record<string, unknown> = {};
  for (const { field, new: value } of changes) {
    const [part, inner] = field.split(".") as [string, string?];
    if (inner === undefined) body[part] = value;
    else body[part] = { ...((body[part] ?? shown[part]) as object), [inner]: value };
  }
  return body;
}
