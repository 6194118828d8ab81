import { useEffect, useState } from "preact/hooks";
import { seconds, usd, whole } from "../shared/format";
import { ApiError, getAgain } from "../shared/http";
import { Empty, Tag } from "../shared/parts";
import { DecisionOf } from "./decision";
import type { Entry } from "./types";

/** A call of the playground, as far as it has come. */
export interface Answered {
  readonly state: "none" | "running" | "done" | "stopped" | "failed";
  readonly text: string;
  readonly requestId: string;
  readonly decisionId: string;
  readonly provider: string;
  readonly model: string;
  readonly cost: string | null;
  readonly firstMs: number | null;
  readonly totalMs: number | null;
  readonly problem: string;
}

const STATES: Readonly<Record<Answered["state"], readonly [string, string]>> = {
  none: ["", ""],
  running: ["invited", "answering"],
  done: ["ok", "answered"],
  stopped: ["interrupted", "stopped"],
  failed: ["error", "failed"],
};

const WAITS = [900, 700, 1000, 1500, 2000, 3000, 5000];

/** The request as the log has it, once it is there: about a second after the answer ended. */
function useLogged(of: Answered): Entry | undefined {
  const [found, setFound] = useState<Entry>();
  const id = of.totalMs === null ? "" : of.requestId;
  useEffect(() => {
    const stop = new AbortController();
    setFound(undefined);
    if (id) void logged(id, stop.signal).then((entry) => stop.signal.aborted || setFound(entry), () => undefined);
    return () => stop.abort();
  }, [id]);
  return found;
}

async function logged(id: string, stop: AbortSignal): Promise<Entry | undefined> {
  for (const wait of WAITS) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (stop.aborted) return undefined;
    try {
      return await getAgain<Entry>(`/admin/requests/${encodeURIComponent(id)}`, stop);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
  return undefined;
}

/** What came, who served it, what it took and cost, and why it went there. */
export function Answer({ of }: { readonly of: Answered }) {
  const entry = useLogged(of);
  const [state, word] = STATES[of.state];
  const served = of.provider || of.model;
  return (
    <>
      <div class="head"><h2>Answer</h2><span role="status">{word && <Tag state={state}>{word}</Tag>}</span></div>
      {of.state === "none" ? <Empty>Nothing was asked yet. What comes back is shown here, with its cost and the decision behind it.</Empty> : <div class="answer" dir="auto" tabIndex={0} role="region" aria-label="Text of the answer">{of.text}</div>}
      {of.problem && <p class="fault" role="alert" dir="auto">{of.problem}</p>}
      {of.state !== "none" && (
        <dl class="pairs figures">
          <dt>Served by</dt><dd>{served ? <><span dir="auto">{of.provider}</span> <code dir="auto">{of.model}</code></> : of.state === "running" ? "…" : "nobody"}</dd>
          <dt>Tokens</dt><dd>{entry ? `${whole(entry.input_tokens)} in, ${whole(entry.output_tokens)} out` : "…"}</dd>
          <dt>Cost</dt><dd>{entry ? (entry.cost_usd === null ? "unpriced" : usd(entry.cost_usd)) : of.cost ? usd(of.cost) : "…"}</dd>
          <dt>Time</dt><dd>{of.totalMs === null ? "…" : seconds(of.totalMs)}{of.firstMs !== null && `, the first part after ${seconds(of.firstMs)}`}</dd>
          <dt>Request</dt><dd>{of.requestId ? <a href={`/app/admin/requests?open=${encodeURIComponent(of.requestId)}`}><code>{of.requestId}</code></a> : "…"}</dd>
        </dl>
      )}
      {entry && of.decisionId && <><h3>Why it went there</h3><DecisionOf id={of.decisionId} /></>}
    </>
  );
}
