import { options, type VNode } from "preact";

/** The path of the gateway's public URL, as `/llm`; empty at a host's root. It is where this file was loaded from. */
export const BASE_PATH = basePathOf(new URL(import.meta.url).pathname);

export function basePathOf(asset: string): string {
  const end = asset.indexOf("/assets/web/");
  return end < 0 ? "" : asset.slice(0, end);
}

/** A path of the gateway's own, as the browser asks for it. */
export const below = (path: string, base = BASE_PATH): string => (path.startsWith("/") && !path.startsWith("//") && !(base && path.startsWith(`${base}/`)) ? base + path : path);

/** The same the other way: paths are compared, and kept in the address, as they are at a host's root. */
export const bare = (path: string, base = BASE_PATH): string => (base && path.startsWith(`${base}/`) ? path.slice(base.length) : path);

/** Where clients find the gateway. */
export const gatewayAddress = (): string => location.origin + BASE_PATH;

const LEADS: Readonly<Record<string, string>> = { a: "href", img: "src" };

/** Links and pictures are written as at a host's root: this is the one place where they get what stands before it. */
export function leadBelow(vnode: VNode, base = BASE_PATH): void {
  const name = typeof vnode.type === "string" ? LEADS[vnode.type] : undefined;
  const props = vnode.props as Record<string, unknown>;
  const to = name === undefined ? undefined : props[name];
  if (name !== undefined && typeof to === "string") props[name] = below(to, base);
}

if (BASE_PATH) {
  const before = options.vnode;
  options.vnode = (vnode) => {
    leadBelow(vnode);
    before?.(vnode);
  };
}
