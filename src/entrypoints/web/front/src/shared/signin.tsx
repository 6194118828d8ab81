import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { bare } from "./base-path";
import { session, signIn, signInByLink, type SignInProvider, signInProviders, signInWanted, takeUpInvite } from "./session";

/** The token of a link in the address: `#/link/…` or `#/invite/…`. It is taken out of the address at once. */
const TOKEN = /^#\/(link|invite)\/([^/?]+)/;
const [, way = "", token = ""] = TOKEN.exec(location.hash) ?? [];
addEventListener("hashchange", () => TOKEN.test(location.hash) && location.reload());
if (way) history.replaceState(null, "", location.pathname + location.search);

/** A button for each identity provider. The browser goes there and comes back to this page. */
function Providers() {
  const [providers, setProviders] = useState<readonly SignInProvider[]>([]);
  useEffect(() => {
    if (signInWanted.value) void signInProviders().then(setProviders);
  }, [signInWanted.value]);
  const page = encodeURIComponent(bare(location.pathname) + location.search + location.hash);
  return (
    <>
      {providers.map((one) => (
        <a key={one.name} class="btn" href={`${one.start_url}?next=${page}`}>
          Sign in with {one.title}
        </a>
      ))}
    </>
  );
}

/** One modal for every way to be signed out. What is behind it stays as it was. */
export function SignIn() {
  const box = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      await work();
    } catch (problem) {
      setError((problem as Error).message);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (way === "link") void attempt(() => signInByLink(token));
  }, []);
  useLayoutEffect(() => {
    const dialog = box.current!;
    if (signInWanted.value && !dialog.open) dialog.showModal();
    if (!signInWanted.value && dialog.open) dialog.close();
  }, [signInWanted.value]);
  const invited = way === "invite" && session.value === null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string): string => String(form.get(name) ?? "");
    void attempt(() => (invited ? takeUpInvite(token, text("name"), text("password")) : signIn(text("email"), text("password"))));
  };
  return (
    <dialog class="sign-in" ref={box} aria-labelledby="sign-in-title" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="sign-in-title">{invited ? "Welcome" : "Sign in"}</h2>
        {invited ? <label>Name <input name="name" autocomplete="name" required /></label> : <label>E-mail <input name="email" type="email" autocomplete="username" required /></label>}
        <label>
          Password <input name="password" type="password" autocomplete={invited ? "new-password" : "current-password"} required />
        </label>
        {error && (
          <p class="fault" role="alert">
            {error}
          </p>
        )}
        <button class="primary" disabled={busy}>
          {invited ? "Set password and sign in" : "Sign in"}
        </button>
        {!invited && <Providers />}
        <p class="quiet">
          On the gateway's machine, <code>omg link</code> prints a link that signs you in.
        </p>
      </form>
    </dialog>
  );
}
