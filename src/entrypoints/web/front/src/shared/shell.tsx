import { useEffect, useState } from "preact/hooks";
import { address } from "./address";
import { Head, type LazyPage } from "./lazy";
import { loadSession, session, signOut } from "./session";
import { loading } from "./settled";
import { SignIn } from "./signin";
import { THEMES, setTheme, theme, type Theme } from "./theme";

/** Groups of pages: path, name, and the page. */
export type Groups = readonly (readonly [string, readonly (readonly [string, string, LazyPage])[]])[];

interface Props {
  /** Where the app is: its pages are at `base/path`. */
  readonly base: string;
  readonly label: string;
  readonly groups: Groups;
  /** Links to the other apps. */
  readonly others: readonly (readonly [string, string])[];
  /** What the page says where anyone on the network may use the gateway. */
  readonly openWords: string;
}

/** The bar, the list of pages and the one that is shown; the same for console and portal. */
export function Shell({ base, label, groups, others, openWords }: Props) {
  const [open, setOpen] = useState(false);
  const [error, setError] = useState("");
  const all = groups.flatMap(([, pages]) => pages);
  const name = address.value.pathname.split("/")[3] ?? "";
  const [, title, Page] = all.find(([path]) => path === name) ?? all[0]!;
  useEffect(() => {
    Page.fetchModule(); // beside the question who is there, not behind its answer
    loadSession().catch((problem: Error) => setError(problem.message));
  }, []);
  useEffect(() => {
    document.title = `${title} – Open Model Gateway`;
  }, [title]);
  return (
    <div class="shell">
      <a class="skip" href="#main">Skip to the page</a>
      <header class="top">
        <button type="button" class="burger" aria-label="Menu" aria-expanded={open} onClick={() => setOpen(!open)}>☰</button>
        <b>omg</b>
        <span class="push" />
        {others.map(([href, text]) => <a key={href} class="btn wide" href={href}>{text}</a>)}
        <label class="theme"><span class="sr">Theme</span>
          <select value={theme.value} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>{THEMES.map((one) => <option key={one}>{one}</option>)}</select>
        </label>
        {session.value?.auth === "keys" && <button type="button" class="btn wide" onClick={() => void signOut()}>Sign out</button>}
      </header>
      <nav class={open ? "side open" : "side"} aria-label={label} onClick={() => setOpen(false)}>
        {groups.map(([group, pages]) => (
          <section key={group} aria-label={group}>
            <p class="group">{group}</p>
            {pages.map(([path, text]) => <a key={path} href={path ? `${base}/${path}` : base} aria-current={path === name ? "page" : undefined}>{text}</a>)}
          </section>
        ))}
        <section class="phone" aria-label="Elsewhere">
          <p class="group">Elsewhere</p>
          {others.map(([href, text]) => <a key={href} href={href}>{text}</a>)}
          {session.value?.auth === "keys" && <button type="button" class="btn" onClick={() => void signOut()}>Sign out</button>}
        </section>
      </nav>
      <main class="main" id="main" tabIndex={-1} aria-busy={loading.value || (session.value === undefined && !error)}>
        {error && <p class="fault" role="alert">{error}</p>}
        {session.value?.open_on_network && <p class="fault">{openWords}</p>}
        {session.value ? <Page key={name} title={title} /> : <Head title={title} />}
      </main>
      <SignIn />
    </div>
  );
}
