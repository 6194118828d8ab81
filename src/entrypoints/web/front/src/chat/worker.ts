/** The service worker: the built files from its cache, the shell when there is no network, and nothing of the API. */
interface WorkerEvent extends Event {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}

const CACHE = "omg-web";
const BASE_PATH = location.pathname.slice(0, location.pathname.lastIndexOf("/app/")); // of the gateway's public URL
const SHELL = `${BASE_PATH}/app`;
const KEPT_FILES = 80;

async function fromCacheFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) {
    await cache.put(request, answer.clone());
    const names = await cache.keys();
    for (const old of names.slice(0, Math.max(0, names.length - KEPT_FILES))) await cache.delete(old);
  }
  return answer;
}

async function shellFromNetworkFirst(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(SHELL, answer.clone());
    return answer;
  } catch (error) {
    const known = await cache.match(SHELL);
    if (known) return known;
    throw error;
  }
}

addEventListener("fetch", (plain) => {
  const event = plain as WorkerEvent;
  const { method, mode, url } = event.request;
  const { origin, pathname: whole } = new URL(url);
  if (method !== "GET" || origin !== location.origin || !whole.startsWith(`${BASE_PATH}/`)) return;
  const pathname = whole.slice(BASE_PATH.length);
  if (pathname.startsWith("/assets/web/")) event.respondWith(fromCacheFirst(event.request));
  else if (mode === "navigate" && pathname.startsWith("/app") && !/^\/app\/(admin|me)(\/|$)/.test(pathname))
    event.respondWith(shellFromNetworkFirst(event.request));
});
