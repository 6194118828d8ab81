import { signal } from "@preact/signals";
import { below } from "./base-path";
import { whileLoading } from "./settled";

/** The one way to the server: same origin, the session's cookie, its CSRF token, the gateway's error body as an exception. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
    readonly param?: string,
    readonly current?: unknown,
  ) {
    super(message);
  }
}

/** Set by the sign-in; empty in `open` mode. It is kept in memory only. */
export const csrfToken = signal("");

/** Asked when the token is no longer the session's, as after a sign-in in another tab: whether there is a newer one. */
let renewToken: (() => Promise<boolean>) | null = null;
export const onStaleToken = (renew: () => Promise<boolean>): void => {
  renewToken = renew;
};

/** Asked when a request is answered 401, and by which code: resolves once it may be repeated, or rejects. */
let reauthenticate: ((code: string) => Promise<void>) | null = null;
export const onSignedOut = (ask: (code: string) => Promise<void>): void => {
  reauthenticate = ask;
};

interface ErrorBody {
  readonly error?: { readonly code?: string; readonly message?: string; readonly param?: string };
  readonly request_id?: string;
  readonly current?: unknown;
}

/** The exception that an unsuccessful answer means. */
export async function apiError(answer: Response): Promise<ApiError> {
  const body = (await answer.json().catch(() => null)) as ErrorBody | null;
  const { code = "unknown", message = `The server answered ${answer.status}.`, param } = body?.error ?? {};
  return new ApiError(answer.status, code, message, body?.request_id ?? "", param, body?.current);
}

interface Options {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One request. A 401 asks for a sign-in, a stale token for the session's own, and both repeat it once; anything else that
 * failed is an `ApiError`.
 */
export async function call(method: string, path: string, options: Options = {}): Promise<Response> {
  const first = await send(method, path, options);
  if (first.ok) return first;
  const error = await apiError(first);
  if (path.startsWith("/auth/") || error.code === "invalid_credentials") throw error; // a wrong password is a field's fault
  if (error.status === 401 && reauthenticate) await reauthenticate(error.code);
  else if (error.code !== "csrf_failed" || !(await renewToken?.())) throw error;
  const second = await send(method, path, options);
  if (second.ok) return second;
  throw await apiError(second);
}

function send(method: string, path: string, options: Options): Promise<Response> {
  const headers = new Headers({ accept: "application/json", ...options.headers });
  const form = options.body instanceof FormData;
  if (options.body !== undefined && !form) headers.set("content-type", "application/json");
  if (method !== "GET" && csrfToken.value) headers.set("x-omg-csrf", csrfToken.value);
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.body !== undefined) init.body = form ? (options.body as FormData) : JSON.stringify(options.body);
  if (options.signal) init.signal = options.signal;
  return fetch(below(path), init);
}

const get = async <T>(path: string, signal?: AbortSignal): Promise<T> => (await call("GET", path, signal ? { signal } : {})).json() as Promise<T>;

/** What is shown once it is there: until then the page says that it is loading. */
export const getJson = <T>(path: string, signal?: AbortSignal): Promise<T> => whileLoading(get<T>(path, signal));

/** The same for what is on the screen already and may be newer now. */
export const getAgain = get;

export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await call(method, path, body === undefined ? {} : { body });
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}
