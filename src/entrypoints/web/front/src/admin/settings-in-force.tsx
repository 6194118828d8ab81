import { address, setParams } from "../shared/address";
import { CopyCurl, Empty, Problem, Tag, curl } from "../shared/parts";
import { useGet } from "../shared/query";
import { shownValue, type SettingInForce } from "./setting-words";

const PATH = "/admin/settings";

/** What the gateway was told at its start, by whom, and what it means. It is changed there. */
export function SettingsInForce() {
  const list = useGet<{ readonly data: readonly SettingInForce[] }>(PATH, { fresh: 60_000 });
  const params = address.value.searchParams;
  const [words, given] = [params.get("find") ?? "", params.get("given") === "1"];
  const all = list.data?.data ?? [];
  const shown = all.filter((one) => (!given || one.source !== "default") && `${one.variable} ${one.key ?? ""} ${one.meaning}`.toLowerCase().includes(words.toLowerCase()));
  return (
    <section class="card in-force" id="in-force" aria-label="Told at the start">
      <div class="head"><h2>Told at the start</h2><span class="push" /><a class="btn" href="/docs">API</a><CopyCurl command={curl(PATH)} /></div>
      <p class="quiet">From the environment, <code>.env</code>, the settings file and the command line, in that order of weight from the end. A change needs a restart.</p>
      <div class="chips" role="group" aria-label="Which">
        <span class="inline"><input aria-label="Find a setting" placeholder="find" value={words} dir="auto" maxLength={512} onInput={(event) => setParams({ find: event.currentTarget.value || null })} /></span>
        <button type="button" class="chip" aria-pressed={given} onClick={() => setParams({ given: given ? null : "1" })}>what was given</button>
      </div>
      <Problem of={list} />
      {list.data && shown.length === 0 && <Empty>No setting is like this.</Empty>}
      <ul class="list" aria-label="Settings">
        {shown.map((one) => (
          <li key={one.variable}>
            <span><code>{one.variable}</code> <b dir="auto">{shownValue(one)}</b> <small class="quiet">{one.meaning.replaceAll("`", "")}.{one.source !== "default" && !one.masked ? ` By itself: ${shownValue({ ...one, value: one.default })}.` : ""}</small></span>
            {one.source === "default" ? <span class="quiet">default</span> : <Tag state="active">{one.source}</Tag>}
          </li>
        ))}
      </ul>
    </section>
  );
}
