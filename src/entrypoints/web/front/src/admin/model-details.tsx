import { useState } from "preact/hooks";
import { moment, seconds, whole } from "../shared/format";
import { ApiError, sendJson } from "../shared/http";
import { ChangedThere, ofFile } from "../shared/owner";
import { Confirmed, CopyCurl, Form, curl, type Asked } from "../shared/parts";
import { endOf, priceLines } from "./model-words";
import type { PricedModel } from "./types";

const METERS = [["input", "Tokens in"], ["output", "Tokens out"], ["cache_read", "From a cache"], ["cache_write", "Into a cache"]] as const;

/** One model: what it can, what it costs and since when, when it ends; and a price of one's own. */
export function ModelDetails({ model, changed }: { readonly model: PricedModel; readonly changed: () => void }) {
  const name = `${model.provider}/${model.model}`;
  const path = `/admin/models/${encodeURIComponent(model.provider)}/${model.model.split("/").map(encodeURIComponent).join("/")}`;
  const ends = endOf(model);
  const end = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
  };
  return (
    <>
      <dl class="pairs">
        <dt>Provider</dt><dd><a href={`/app/admin/providers?open=${encodeURIComponent(model.provider)}`}>{model.provider}</a></dd>
        <dt>Made by</dt><dd dir="auto">{model.owned_by}</dd>
        <dt>Can</dt><dd>{model.capabilities.join(", ") || "nobody knows"}</dd>
        <dt>Context</dt><dd>{model.context_window === null ? "nobody knows" : `${whole(model.context_window)} tokens`}</dd>
        <dt>Price of</dt><dd>{model.source ?? "nobody: its requests are unpriced"}{model.effective_from ? `, since ${moment(model.effective_from)}` : ""}</dd>
        {ends && [<dt key="t">Ends</dt>, <dd key="d">{ends}{model.successor ? <>, then <code>{model.successor}</code></> : ""}</dd>]}
        {model.latency_ms?.p50 != null && [<dt key="t">Answers in</dt>, <dd key="d">{seconds(model.latency_ms.p50)}, 95 % in {seconds(model.latency_ms.p95 ?? model.latency_ms.p50)}, of the last 24 hours</dd>]}
      </dl>
      <p class="buttons">
        <a class="btn" href={`/app/admin/requests?${new URLSearchParams({ provider: model.provider, model: model.model })}`}>Its requests</a>
        <a class="btn" href={`/app/admin/usage?${new URLSearchParams({ provider: model.provider, model: model.model, by: "day" })}`}>Its usage</a>
        <a class="btn" href={`/app/admin/audit?${new URLSearchParams({ object_id: name })}`}>Its history</a>
        <CopyCurl command={curl(path)} />
      </p>
      <h3>Prices</h3>
      <Prices model={model} />
      <h3>A price of your own</h3>
      {ofFile(model) ? <ChangedThere /> : (
        <>
          <p class="quiet">In force from now on, over the catalog's. What was booked before keeps its price.</p>
          <OwnPrice model={model} changed={changed} />
        </>
      )}
      {model.source === "admin" && !ofFile(model) && <p class="buttons"><Confirmed label="End own price" question={`The catalog's price of ${name} holds again, or none.`} run={end} /></p>}
    </>
  );
}

function Prices({ model }: { readonly model: PricedModel }) {
  const lines = priceLines(model);
  if (lines.length === 0) return <p class="quiet">None. Its requests are in the books with their tokens, and without a cost.</p>;
  return (
    <table class="plain">
      <thead><tr><th scope="col">What</th><th scope="col">For</th><th scope="col" class="end">USD</th></tr></thead>
      <tbody>{lines.map((line) => <tr key={`${line.when} ${line.what}`}><td>{line.what}</td><td class="quiet">{line.when || "any request"}</td><td class="end">{line.price} <small class="quiet">per {line.per}</small></td></tr>)}</tbody>
    </table>
  );
}

/** A price that is far from the one in force is asked about before it holds. */
function OwnPrice({ model, changed }: { readonly model: PricedModel; readonly changed: () => void }) {
  const [asked, setAsked] = useState("");
  const asks = (form: FormData): Asked => {
    const prices = Object.fromEntries(METERS.flatMap(([meter]) => (String(form.get(meter) ?? "").trim() ? [[meter, String(form.get(meter)).trim()]] : [])));
    return ["POST", "/admin/models", { provider: model.provider, model: model.model, prices, ...(asked ? { confirm: true } : {}) }];
  };
  const send = async (form: FormData): Promise<void> => {
    try {
      await sendJson(...asks(form));
      setAsked("");
      changed();
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "confirmation_required") || asked) throw error;
      setAsked(error.message);
    }
  };
  return (
    <Form label={asked ? "It is meant: set price" : "Set price"} send={send} asks={asks}>
      <div class="fields">
        {METERS.map(([meter, title]) => <label key={meter}>{title} <input name={meter} inputMode="decimal" autocomplete="off" maxLength={32} required={meter === "input" || meter === "output"} placeholder={typeof model.prices?.[meter] === "string" ? model.prices[meter] : ""} onInput={() => setAsked("")} /></label>)}
      </div>
      <small class="quiet">USD per million tokens. What is left out costs what it is a part of. Tiers and variants are set by the API.</small>
      {asked && <p class="fault" role="alert">{asked}</p>}
    </Form>
  );
}
