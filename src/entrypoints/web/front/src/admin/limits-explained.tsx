import type { ComponentChildren } from "preact";
import { address, setParams } from "../shared/address";
import { CopyCurl, Empty, Problem, Tag, curl } from "../shared/parts";
import { known, useGet } from "../shared/query";
import { facts, leftInWords, shareLeft, verdict, type Explained, type Met } from "./limit-words";
import { kindTitle, subjectPage } from "./subjects";
import type { VirtualKey } from "./types";

/** All that a request of a key would meet, what each has left, and which would refuse; then what stands below. Key, model and tags stand in the address. */
export function LimitsExplained({ children }: { readonly children: ComponentChildren }) {
  const params = address.value.searchParams;
  const [key, model, tags] = [params.get("key_id") ?? "", params.get("model") ?? "", params.get("tags") ?? ""];
  const keys = useGet<{ readonly data: readonly VirtualKey[] }>("/admin/keys?limit=200", { fresh: 60_000 });
  const path = key ? `/admin/limits/explain?${new URLSearchParams({ key_id: key, ...(model ? { model } : {}), ...(tags ? { tags } : {}) })}` : null;
  const asked = useGet<Explained>(path, { poll: 5_000 });
  const ask = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setParams({ key_id: String(form.get("key_id")).trim() || null, model: String(form.get("model")).trim() || null, tags: String(form.get("tags")).trim() || null });
  };
  return (
    <>
    <section class="card explain" aria-label="Explain for a key">
      <div class="head"><h2>What a key would meet</h2><span class="push" />{path && <CopyCurl command={curl(path)} />}</div>
      <form class="inline" onSubmit={ask} key={`${key} ${model} ${tags}`}>
        <input name="key_id" id="filter" aria-label="Key" placeholder="a key's id" list="known-keys" defaultValue={key} autocomplete="off" dir="auto" maxLength={512} />
        <datalist id="known-keys">{keys.data?.data.map((one) => <option key={one.id} value={one.id}>{one.name || one.id}</option>)}</datalist>
        <input name="model" aria-label="Model" placeholder="any model" defaultValue={model} autocomplete="off" dir="auto" maxLength={512} />
        <input name="tags" aria-label="Tags" placeholder="tags of the request" defaultValue={tags} autocomplete="off" dir="auto" maxLength={1200} />
        <button class="btn">Explain</button>
      </form>
      <Problem of={asked} />
      {!path && <Empty>Choose a key to see every limit and budget that its next request would meet, and what each has left.</Empty>}
      {asked.data && <p class={[...asked.data.limits, ...asked.data.budgets].some((one) => one.refuses) ? "fault" : "quiet"} role="status" dir="auto">{verdict(asked.data)}</p>}
      {asked.data && <Those title="Limits" of={asked.data.limits} />}
      {asked.data && <Those title="Budgets" of={asked.data.budgets} />}
    </section>
    {(!path || known(asked)) && children}
    </>
  );
}

function Those({ title, of }: { readonly title: string; readonly of: readonly Met[] }) {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ul class="list" aria-label={title}>{of.map((one) => <OneMet key={JSON.stringify([one.subject, one.unit, one.limit, one.period_end])} met={one} />)}</ul>
    </>
  );
}

function OneMet({ met }: { readonly met: Met }) {
  const page = subjectPage(met.subject);
  const left = shareLeft(met);
  const name = <span dir="auto">{met.subject.name}</span>;
  return (
    <li>
      <span><span class="quiet">{kindTitle(met.subject.kind)}</span> {page ? <a href={page}>{name}</a> : <b>{name}</b>}: {leftInWords(met)} <small class="quiet">{facts(met)}</small></span>
      <Tag state={met.refuses ? "failed" : left < 0.2 ? "degraded" : "ok"}>{met.refuses ? "refuses" : left < 0.2 ? "nearly used up" : "has room"}</Tag>
      <span class="meter"><i class={met.refuses ? "low" : ""} style={{ width: `${left * 100}%` }} /></span>
    </li>
  );
}
