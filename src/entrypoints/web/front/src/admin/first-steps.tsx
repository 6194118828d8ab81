import type { ComponentChildren } from "preact";
import { NoColumns } from "../shared/chart";
import { useGet } from "../shared/query";
import type { Page, Provider, VirtualKey } from "./types";

const POLL = { poll: 5_000 };

/** From nothing to a first answer, and to a client that gets one: what is done is said so. */
export function FirstSteps({ always = false }: { readonly always?: boolean }) {
  const providers = useGet<Page<Provider>>("/admin/providers?limit=200", POLL);
  const requests = useGet<Page<unknown>>("/admin/requests?limit=1", POLL);
  const keys = useGet<Page<VirtualKey>>("/admin/keys?limit=1", POLL);
  const steps = [
    { done: providers.data?.data.some((one) => one.status === "available") ?? false, href: "/app/admin/providers?open=new", does: "Paste a provider's key", more: "" },
    { done: (requests.data?.data.length ?? 0) > 0, href: "/app", does: "Ask something in the chat", more: "" },
    { done: (keys.data?.data.length ?? 0) > 0, href: "/app/admin/keys?open=new", does: "Make a key for a client", more: ", and use the snippet that comes with it" },
  ];
  return (
    <section class="card" aria-label="First steps">
      <h2>{always ? "First steps" : "Nothing was asked yet"}</h2>
      <Room high={!always}>
        <ol class="first">
          {steps.map((step) => <li key={step.href} class={step.done ? "done" : ""}><a href={step.href}>{step.does}</a>{step.more}{step.done && " – done"}</li>)}
        </ol>
      </Room>
    </section>
  );
}

/** In a chart's place it takes as much of it: nothing below moves. */
const Room = ({ high, children }: { readonly high: boolean; readonly children: ComponentChildren }) => (high ? <NoColumns>{children}</NoColumns> : <>{children}</>);
