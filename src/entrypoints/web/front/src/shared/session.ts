import { signal } from "@preact/signals";
import { below } from "./base-path";
import { ApiError, csrfToken, getJson, onSignedOut, onStaleToken, sendJson } from "./http";
import { keepFresh, renewed } from "./renewal";

export interface Tenant {
  readonly id: string;
  readonly name: string;
  readonly kind: "shared" | "personal";
  readonly role: string;
}

export interface Session {
  readonly user: { readonly id: string; readonly email: string | null; readonly name: string; readonly platform_role: string };
  readonly csrf_token: string;
  readonly expires_at: string | null;
  readonly tenants: readonly Tenant[];
  readonly auth: "keys" | "open";
  readonly open_on_network: boolean;
}

/** Who is signed in: undefined until it is known, null where nobody is. */
export const session = signal<Session | null | undefined>(undefined);

/** Whether the sign-in dialog is open, and why. */
export const signInWanted = signal(false);

/** What the server says of the session is taken over. */
function took(found: Session): void {
  csrfToken.value = found.csrf_token;
  session.value = found;
  if (found.auth === "keys") keepFresh(renew);
}

let waiting: (() => void)[] = [];
let entering: Promise<void> | null = null;

export async function loadSession(): Promise<void> {
  try {
    const found = await getJson<Session>("/auth/session");
    took(found);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    if (entering) return void (await entering); // asked before a link had signed in
    session.value = null;
    signInWanted.value = true;
  }
}

/** Every way in ends here: the token is kept, requests that waited are repeated. */
function enter(path: string, body: unknown): Promise<void> {
  entering = signedInBy(path, body).finally(() => {
    entering = null;
  });
  return entering;
}

async function signedInBy(path: string, body: unknown): Promise<void> {
  const who = session.value?.user.id;
  const signedIn = await sendJson<{ csrf_token: string; user: { id: string } }>("POST", path, body);
  if (who !== undefined && signedIn.user.id !== who) return location.reload(); // nothing is sent as somebody else
  csrfToken.value = signedIn.csrf_token;
  renewed();
  await loadSession();
  signInWanted.value = false;
  for (const go of waiting) go();
  waiting = [];
}

export interface SignInProvider {
  readonly name: string;
  readonly title: string;
  readonly start_url: string;
}

/** The identity providers that one can sign in at; none where that cannot be told. */
export const signInProviders = (): Promise<readonly SignInProvider[]> => getJson<SignInProvider[]>("/auth/providers").catch(() => []);

export const signIn = (email: string, password: string): Promise<void> => enter("/auth/login", { email, password });
export const signInByLink = (token: string): Promise<void> => enter("/auth/link", { token });
export const takeUpInvite = (token: string, name: string, password: string): Promise<void> =>
  enter(`/auth/invites/${encodeURIComponent(token)}`, { name, password });

export async function signOut(): Promise<void> {
  await sendJson("POST", "/auth/logout");
  location.assign(below("/app"));
}

/** Whether the same person is signed in still or again, as by another tab. Their token is known then. */
async function stillThere(): Promise<boolean> {
  const who = session.value?.user.id;
  const found = await getJson<Session>("/auth/session");
  if (found.user.id !== who) return false; // nothing is sent as somebody else
  took(found);
  return true;
}

/** The same session under a new id; an identity provider is asked who one is now. A failure is met by what is asked next. */
async function renew(): Promise<void> {
  const now = await sendJson<{ csrf_token: string }>("POST", "/auth/refresh");
  csrfToken.value = now.csrf_token;
}

onStaleToken(async () => {
  const before = csrfToken.value;
  return (await stillThere()) && csrfToken.value !== before;
});

onSignedOut(async (code) => {
  // What was on its way while the session got a new id bears the old one: nobody has signed out.
  if (code !== "confirmation_needed" && (await stillThere().catch(() => false))) return;
  await new Promise<void>((resolve) => {
    waiting.push(resolve); // who it was stays: the page behind the dialog, and what was typed there, must not go
    signInWanted.value = true;
  });
});
