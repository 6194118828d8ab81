import { useEffect, useState } from "preact/hooks";
import { usd, whole } from "../shared/format";
import { usageOf } from "./commands";
import { deviceHeaders, deviceId } from "./device";
import { Dialog } from "./dialogs";
import { messages } from "./store";
import { totalOf } from "./money";
import type { Totals } from "./types";

interface ByModel {
  readonly data: readonly (Totals & { readonly model: string })[];
}

/** What this conversation, this device and the person used. */
export function UsageSheet() {
  const [device, setDevice] = useState(false);
  const [total, setTotal] = useState<Totals | null>(null);
  const [models, setModels] = useState<ByModel["data"]>([]);
  const [error, setError] = useState("");
  useEffect(() => {
    let left = false;
    const headers = device ? deviceHeaders() : {};
    Promise.all([usageOf<Totals>("/api/usage/summary", headers), usageOf<ByModel>("/api/usage/models", headers)]).then(
      ([sums, by]) => {
        if (left) return;
        setTotal(sums);
        setModels([...by.data].sort((a, b) => Number(b.cost_usd) - Number(a.cost_usd) || b.requests - a.requests));
      },
      (problem: Error) => void (left || setError(problem.message)),
    );
    return () => {
      left = true;
    };
  }, [device]);
  const here = totalOf(messages.value);
  return (
    <Dialog title="Usage">
      {error && <p class="fault" role="alert">{error}</p>}
      <dl class="pairs">
        <dt>This conversation</dt><dd>{here.cost}, {whole(here.tokens)} tokens{here.unpriced ? ", some without a price" : ""}</dd>
        <dt>{device ? "This device" : "In all"}</dt>
        <dd>{total ? `${usd(total.cost_usd)}, ${whole(total.input_tokens)} tokens in, ${whole(total.output_tokens)} out, ${whole(total.requests)} answers` : "…"}</dd>
        {total !== null && total.unpriced_requests > 0 && [<dt key="u">Without a price</dt>, <dd key="v">{whole(total.unpriced_requests)} answers</dd>]}
      </dl>
      {deviceId.value && <label class="check"><input type="checkbox" checked={device} onChange={(event) => setDevice(event.currentTarget.checked)} /><span>Only this device</span></label>}
      <div class="wide" tabIndex={0} role="region" aria-label="Usage by model">
        <table>
          <thead><tr><th scope="col">model</th><th scope="col" class="end">answers</th><th scope="col" class="end">tokens</th><th scope="col" class="end">cost</th></tr></thead>
          <tbody>
            {models.map((one) => (
              <tr key={one.model}><td>{one.model}</td><td class="end">{whole(one.requests)}</td><td class="end">{whole(one.input_tokens + one.output_tokens)}</td><td class="end">{one.unpriced_requests === one.requests ? "unpriced" : usd(one.cost_usd)}</td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
