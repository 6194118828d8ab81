import type { ElementContent, Root } from "hast";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { copy } from "./clipboard";

/** A block of code: what it is written in, a button that copies it, and colours once they are there. */
export function Code({ language, text }: { readonly language: string; readonly text: string }) {
  const [tree, setTree] = useState<Root | null>(null);
  useEffect(() => {
    let wanted = true;
    const later = setTimeout(() => {
      void import("./highlight").then(({ highlight }) => highlight(language, text)).then((made) => wanted && setTree(made));
    }, 80);
    return () => {
      wanted = false;
      clearTimeout(later);
    };
  }, [language, text]);
  const fresh = tree !== null && textOf(tree.children as ElementContent[]) === text;
  return (
    <figure class="code">
      <figcaption>
        <span>{language || "text"}</span>
        <button type="button" onClick={() => void copy(text)}>copy</button>
      </figcaption>
      <pre tabIndex={0}>
        <code>{fresh ? draw(tree.children as ElementContent[]) : text}</code>
      </pre>
    </figure>
  );
}

const textOf = (nodes: readonly ElementContent[]): string =>
  nodes.map((node) => (node.type === "text" ? node.value : node.type === "element" ? textOf(node.children) : "")).join("");

const draw = (nodes: readonly ElementContent[]): ComponentChildren =>
  nodes.map((node, i) => {
    if (node.type === "text") return node.value;
    if (node.type !== "element") return null;
    const names = node.properties["className"];
    return (
      <span key={i} class={Array.isArray(names) ? names.join(" ") : ""}>
        {draw(node.children)}
      </span>
    );
  });
