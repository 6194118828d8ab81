import { signal } from "@preact/signals";
import { bare, below } from "./base-path";
import { whileLoading } from "./settled";

/** Where we are. Everything that a view can be set to stands in the address, so that a link shows what its sender saw. */
export const address = signal(read(location.href));
addEventListener("popstate", () => move(read(location.href)));

/** An address with its path as it is at a host's root. */
function read(to: string): URL {
  const url = new URL(to, location.href);
  if (url.origin === location.origin) url.pathname = bare(url.pathname);
  return url;
}

function move(to: URL): void {
  address.value = to;
  void whileLoading(Promise.resolve()); // what it shows is asked for when it has been drawn
}

export function go(to: string, replace = false): void {
  const url = read(to);
  const shown = new URL(url);
  shown.pathname = below(url.pathname);
  history[replace ? "replaceState" : "pushState"](null, "", shown);
  move(url);
}

/** Change parameters of the address in its place in the history; null takes one away. */
export function setParams(changes: Readonly<Record<string, string | null>>): void {
  const url = new URL(address.value);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  go(url.href, true);
}

/** Links of the app that `inside` names move without a new document; every other link is the browser's. */
export function followLinks(inside: (path: string) => boolean): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest?.("a[href]") as HTMLAnchorElement | SVGAElement | null;
    if (!link || event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    const href = typeof link.href === "string" ? link.href : link.href.baseVal;
    const url = read(href);
    const own = url.origin === location.origin && inside(url.pathname);
    if (!own || link.hasAttribute("target") || link.hasAttribute("download")) return;
    event.preventDefault();
    go(url.href);
  });
}
