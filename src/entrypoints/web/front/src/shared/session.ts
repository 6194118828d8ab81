import { signal } from "@preact/signals";
import { below } from "./base-path";
import { ApiError, csrfToken, getJson, onSignedOut, onStaleToken, sendJson } from "./http";

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

let waiting: (() => void)[] = [];
let entering: Promise<void> | null = null;

export async function loadSession(): Promise<void> {
  try {
    const found = await getJson<Session>("/auth/session");
    csrfToken.value = found.csrf_token;
    session.value = found;
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
  const signedIn = await sendJson<{ csrf_token: string }>("POST", path, body);
  csrfToken.value = signedIn.csrf_token;
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

onStaleToken(async () => {
  const [before, who] = [csrfToken.value, session.value?.user.id];
  const found = await getJson<Session>("/auth/session");
  if (found.user.id !== who || found.csrf_token === before) return false; // nothing is sent as somebody else
  csrfToken.value = found.csrf_token;
  session.value = found;
  return true;
});

onSignedOut(
  () =>
    new Promise((resolve) => {
      waiting.push(resolve); // who it was stays: the page behind the dialog, and what was typed there, must not go
      signInWanted.value = true;
    }),
);
