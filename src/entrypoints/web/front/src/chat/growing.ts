import type { Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

const parse = (text: string): Root => fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });

/** Blocks of a growing text: those before the last one are final, so only the end is read again. */
export class GrowingText {
  #text = "";
  #blocks: readonly RootContent[] = [];
  #start = 0;

  read(text: string): readonly RootContent[] {
    if (text === this.#text) return this.#blocks;
    const goesOn = this.#text !== "" && text.startsWith(this.#text);
    const from = goesOn ? this.#start : 0;
    const kept = goesOn ? this.#blocks.slice(0, -1) : [];
    const fresh = parse(text.slice(from)).children;
    this.#blocks = [...kept, ...fresh];
    this.#start = from + (fresh.at(-1)?.position?.start.offset ?? 0);
    this.#text = text;
    return this.#blocks;
  }
}
