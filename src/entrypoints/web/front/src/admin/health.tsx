import { useState } from "preact/hooks";
import { ahead, bytes, stretch, whole } from "../shared/format";
import { sendJson } from "../shared/http";
import { CopyCurl, Empty, Problem, Tag, curl } from "../shared/parts";
import { useGet } from "../shared/query";
import type { Health, ProviderHealth } from "./types";

const PATH = "/admin/health";

/** What an operator looks at first: the gateway, its database, the way of usage into it, and each provider. */
export default function HealthPage() {
  const asked = useGet<Health>(PATH, { poll: 5_000 });
  const health = asked.data;
  return (
    <>
      <div class="head"><h1>Health</h1><span class="push" /><CopyCurl command={curl(PATH)} /></div>
      <Problem of={asked} />
      <section class="cards" aria-label="The gateway">
        <Fact title="Gateway" state={health?.status} small={health && `version ${health.version}, up ${stretch(health.uptime_seconds)}`} />
        <Fact title="Database" state={health?.database.status} small={health && `configuration ${whole(health.config_version)}, limits counted in ${health.limits.store.replaceAll("_", " ")}${health.limits.status === "ok" ? "" : ", which is away"}`} />
        <Fact title="Ledger" state={health && (health.usage.writable ? "ok" : "failed")} small={health && `${whole(health.usage.waiting_records)} waiting, ${health.usage.lag_seconds.toFixed(1)} s behind`} />
        <Fact title="Providers" state={health && (health.providers.some((one) => one.status === "available") ? "ok" : "failed")} small={health && `${whole(health.providers.filter((one) => one.status === "available").length)} of ${whole(health.providers.length)} available`} />
      </section>
      {health && <Ledger health={health} />}
      {health && <section class="card" aria-label="Providers">
        <h2>Providers</h2>
        {health?.providers.length === 0 && <Empty>No provider yet. <a href="/app/admin/providers?open=new">Add one.</a></Empty>}
        <ul class="list">{health?.providers.map((one) => <ProviderLine key={one.id} provider={one} changed={asked.reload} />)}</ul>
      </section>}
    </>
  );
}

function Fact({ title, state, small }: { readonly title: string; readonly state: string | undefined; readonly small: string | undefined }) {
  return (
    <div class="card stat">
      <span>{title}</span>
      <strong class="state">{state ? <Tag state={state} /> : "–"}</strong>
      <small>{small ?? "…"}</small>
    </div>
  );
}

function Ledger({ health }: { readonly health: Health | undefined }) {
  const usage = health?.usage;
  const kept = health?.idempotency;
  return (
    <section class="card" aria-label="Ledger">
      <h2>Ledger</h2>
      <dl class="pairs">
        <dt>Written down</dt><dd>{!usage ? "–" : usage.writable ? "at once" : "not now: records wait in memory"}</dd>
        <dt>On the way to the database</dt><dd>{usage ? `${whole(usage.waiting_records)} records, ${bytes(usage.spool_bytes)} of spool` : "–"}</dd>
        <dt>Torn records</dt><dd>{usage ? `${whole(usage.torn_records)} lost to damaged files` : "–"}</dd>
        <dt>Dropped records</dt><dd>{usage ? `${whole(usage.dropped_records)} found no room` : "–"}</dd>
        <dt>Kept for repeated requests</dt><dd>{kept ? `${whole(kept.answers)} answers, ${bytes(kept.bytes)}; given again ${whole(kept.replays)} times` : "–"}</dd>
      </dl>
      <p class="quiet"><code>omg ledger verify</code> recomputes every sum from the single records; <code>omg doctor</code> checks the rest of the machine.</p>
    </section>
  );
}

function ProviderLine({ provider, changed }: { readonly provider: ProviderHealth; readonly changed: () => void }) {
  const [said, setSaid] = useState("");
  const act = async (what: "test" | "retry"): Promise<void> => {
    setSaid("…");
    try {
      const answer = await sendJson<{ message?: string } | undefined>("POST", `${PATH.replace("health", "providers")}/${encodeURIComponent(provider.id)}/${what}`);
      setSaid(answer?.message ?? "It may be asked again.");
    } catch (error) {
      setSaid((error as Error).message);
    }
    changed();
  };
  return (
    <li>
      <span>
        <a href={`/app/admin/providers?open=${encodeURIComponent(provider.id)}`}><b>{provider.id}</b></a> <Tag state={provider.status} />{" "}
        <span class="quiet">{provider.keys_available} of {provider.keys} keys · breaker {provider.breaker}{provider.available_at ? ` · again ${ahead(provider.available_at)}` : ""}</span>
        {provider.reason && <span class="quiet" dir="auto"> · {provider.reason}</span>}
      </span>
      <span class="buttons">
        <button type="button" class="btn" aria-label={`Check ${provider.id}`} onClick={() => void act("test")}>Check</button>
        <button type="button" class="btn" aria-label={`Retry ${provider.id} now`} onClick={() => void act("retry")}>Retry now</button>
      </span>
      {said && <p role="status" class="quiet" dir="auto">{said}</p>}
    </li>
  );
}
