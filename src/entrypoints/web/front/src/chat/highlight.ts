import type { Root } from "hast";
import type { LanguageFn } from "highlight.js";
import { createLowlight } from "lowlight";

type Load = () => Promise<{ default: LanguageFn }>;

const LANGUAGES: Readonly<Record<string, Load>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  go: () => import("highlight.js/lib/languages/go"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  python: () => import("highlight.js/lib/languages/python"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};
const OTHER_NAMES: Readonly<Record<string, string>> = {
  "c++": "cpp", html: "xml", js: "javascript", jsx: "javascript", py: "python", rs: "rust", sh: "bash", shell: "bash",
  svg: "xml", ts: "typescript", tsx: "typescript", yml: "yaml", zsh: "bash",
}; // prettier-ignore
const MOST_CHARACTERS = 60_000;

const lowlight = createLowlight();

/** The coloured tree of a piece of code; null where the language is none of these, or the piece is very long. */
export async function highlight(language: string, text: string): Promise<Root | null> {
  const lower = language.toLowerCase();
  const name = OTHER_NAMES[lower] ?? lower;
  const load = LANGUAGES[name];
  if (!load || text.length > MOST_CHARACTERS) return null;
  if (!lowlight.registered(name)) lowlight.register(name, (await load()).default);
  return lowlight.highlight(name, text);
}
