import type { PhrasingContent, RootContent, Table } from "mdast";
import { Component, type ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { Code } from "./code";
import { GrowingText } from "./growing";

type Node = RootContent | PhrasingContent;

/** A block is drawn again only when it is another one: a long answer costs what its end costs. */
class Block extends Component<{ node: RootContent }> {
  override shouldComponentUpdate(next: { node: RootContent }): boolean {
    return next.node !== this.props.node;
  }
  override render(): ComponentChildren {
    return draw(this.props.node, 0);
  }
}

/** Markdown as elements, never as HTML text. Links show where they lead; pictures from elsewhere are links. */
export function Prose({ text }: { readonly text: string }) {
  const growing = useRef<GrowingText>(null);
  growing.current ??= new GrowingText();
  return (
    <div class="prose">
      {growing.current.read(text).map((node, i) => (
        <Block key={i} node={node} />
      ))}
    </div>
  );
}

const all = (nodes: readonly Node[]): ComponentChildren => nodes.map((node, i) => draw(node, i));

function draw(node: Node, key: number): ComponentChildren {
  switch (node.type) {
    case "text":
    case "html":
      return node.value;
    case "paragraph":
      return <p key={key} dir="auto">{all(node.children)}</p>;
    case "heading": {
      const Heading = `h${Math.min(6, node.depth + 2)}` as "h3";
      return <Heading key={key} dir="auto">{all(node.children)}</Heading>;
    }
    case "emphasis":
      return <em key={key}>{all(node.children)}</em>;
    case "strong":
      return <strong key={key}>{all(node.children)}</strong>;
    case "delete":
      return <s key={key}>{all(node.children)}</s>;
    case "inlineCode":
      return <code key={key}>{node.value}</code>;
    case "code":
      return <Code key={key} language={node.lang ?? ""} text={node.value} />;
    case "blockquote":
      return <blockquote key={key}>{all(node.children as Node[])}</blockquote>;
    case "break":
      return <br key={key} />;
    case "thematicBreak":
      return <hr key={key} />;
    case "link":
      return <Link key={key} url={node.url}>{all(node.children)}</Link>;
    case "image":
      return <Link key={key} url={node.url}>{node.alt || "picture"}</Link>;
    default:
      return drawRarer(node, key);
  }
}

function drawRarer(node: Node, key: number): ComponentChildren {
  switch (node.type) {
    case "list":
      return node.ordered ? <ol key={key} start={node.start ?? 1}>{all(node.children)}</ol> : <ul key={key}>{all(node.children)}</ul>;
    case "listItem":
      return (
        <li key={key} dir="auto">
          {typeof node.checked === "boolean" && <span role="img" aria-label={node.checked ? "done" : "to do"}>{node.checked ? "☑ " : "☐ "}</span>}
          {all(node.children as Node[])}
        </li>
      );
    case "table":
      return <DrawnTable key={key} table={node} />;
    case "footnoteReference":
      return <sup key={key}>[{node.label ?? node.identifier}]</sup>;
    case "footnoteDefinition":
      return <div key={key} class="footnote">[{node.label ?? node.identifier}] {all(node.children as Node[])}</div>;
    case "linkReference":
      return all(node.children);
    case "imageReference":
      return node.alt ?? "";
    default:
      return null;
  }
}

function DrawnTable({ table }: { readonly table: Table }) {
  const [head, ...rows] = table.children;
  const cells = (row: (typeof table.children)[number], Cell: "th" | "td"): ComponentChildren =>
    row.children.map((cell, i) => (
      <Cell key={i} class={table.align?.[i] === "right" ? "end" : ""} {...(Cell === "th" ? { scope: "col" as const } : {})}>
        {all(cell.children)}
      </Cell>
    ));
  return (
    <div class="wide" tabIndex={0} role="region" aria-label="Table">
      <table>
        <thead>{head && <tr>{cells(head, "th")}</tr>}</thead>
        <tbody>{rows.map((row, i) => <tr key={i}>{cells(row, "td")}</tr>)}</tbody>
      </table>
    </div>
  );
}

/** Only what leads to a page or a mailbox is a link; everything else is its text. */
function Link({ url, children }: { readonly url: string; readonly children: ComponentChildren }) {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (!target || !["http:", "https:", "mailto:"].includes(target.protocol)) return <>{children}</>;
  return (
    <a href={target.href} target="_blank" rel="noopener noreferrer">
      {children} <small>({target.host || target.pathname})</small>
    </a>
  );
}
