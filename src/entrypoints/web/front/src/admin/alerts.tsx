import { address, setParams } from "../shared/address";
import { ago, ahead, stamp } from "../shared/format";
import { Grid, type Column } from "../shared/grid";
import { idOf, useList } from "../shared/list";
import { isNarrow } from "../shared/narrow";
import { CopyCurl, Drawer, Empty, Problem, Tag, curl } from "../shared/parts";
import { known, useGet } from "../shared/query";
import { browserZone } from "../shared/zones";
import { ChannelDetails, DeliveryDetails, NewChannel, NewRule, RuleDetails } from "./alert-details";
import { channelName, eventTitle, thresholdInWords, whereto, type Channel, type Delivery, type Rule } from "./alert-words";

const [CHANNELS, RULES] = ["/admin/alerts/channels", "/admin/alerts/rules"];
const STATUSES = ["pending", "delivered", "failed", "held", "gathered"] as const;
const TONE: Readonly<Record<string, string>> = { delivered: "ok", gathered: "ok", pending: "degraded", held: "degraded", failed: "failed" };

export const Status = ({ of }: { readonly of: Delivery }) => <Tag state={TONE[of.status] ?? "failed"}>{of.status}</Tag>;

const columns = (channels: readonly Channel[]): readonly Column<Delivery>[] => [
  { key: "at", title: "Time", width: "138px", cell: (row) => stamp(row.created_at, browserZone()) },
  { key: "status", title: "State", width: "96px", cell: (row) => <Status of={row} /> },
  { key: "event", title: "Event", width: "minmax(140px, 2fr)", cell: (row) => eventTitle(row.event) },
  { key: "about", title: "About", width: "minmax(100px, 1fr)", cell: (row) => <span dir="auto">{row.body.subject.name || row.body.subject.id}</span> },
  { key: "to", title: "To", width: "minmax(100px, 1fr)", cell: (row) => <span dir="auto">{channelName(channels, row.channel_id)}</span> },
  { key: "tries", title: "Tries", width: "44px", end: true, cell: (row) => row.attempts },
  { key: "error", title: "Said", width: "minmax(100px, 2fr)", cell: (row) => <span dir="auto">{row.error || (row.next_attempt_at ? `again ${ahead(row.next_attempt_at)}` : "–")}</span> },
];
const narrow = (all: readonly Column<Delivery>[]): readonly Column<Delivery>[] => [{ ...all[1]!, width: "92px" }, { ...all[2]!, width: "minmax(0, 1fr)" }, { key: "ago", title: "Time", width: "84px", end: true, cell: (row) => ago(row.created_at) }];

/** What is told to whom, over which channels, and what became of it. */
export default function Alerts() {
  const channels = useGet<{ readonly data: readonly Channel[] }>(CHANNELS!);
  const rules = useGet<{ readonly data: readonly Rule[] }>(RULES!);
  const params = address.value.searchParams;
  const [open, status] = [params.get("open"), params.get("status")];
  const close = (): void => setParams({ open: null });
  const [all, told] = [channels.data?.data ?? [], rules.data?.data ?? []];
  const [channel, rule] = [all.find((one) => one.id === open), told.find((one) => one.id === open)];
  const changed = (): void => {
    channels.reload();
    rules.reload();
  };
  return (
    <>
      <div class="head">
        <h1>Alerts</h1>
        <span class="push" />
        <button type="button" class="btn" onClick={() => setParams({ open: "new-channel" })}>Add a channel</button>
        <button type="button" class="btn primary" data-new onClick={() => setParams({ open: "new" })}>Add a rule</button>
      </div>
      <div class="two even">
        <section class="card" aria-label="Rules"><div class="head"><h2>Rules</h2><span class="push" /><CopyCurl command={curl(RULES!)} /></div><Problem of={rules} /><Rules of={rules.data?.data} channels={all} /></section>
        {known(rules) && <section class="card" aria-label="Channels"><div class="head"><h2>Channels</h2><span class="push" /><CopyCurl command={curl(CHANNELS!)} /></div><Problem of={channels} /><Channels of={channels.data?.data} /></section>}
      </div>
      {known(rules) && known(channels) && <Deliveries channels={all} rules={told} status={status} open={open} />}
      {open === "new" && known(channels) && <Drawer title="Add a rule" close={close}><NewRule channels={all} made={changed} /></Drawer>}
      {open === "new-channel" && <Drawer title="Add a channel" close={close}><NewChannel made={changed} /></Drawer>}
      {channel && <Drawer title={channel.name || channel.id} close={close}><ChannelDetails key={channel.id} channel={channel} rules={told} changed={changed} /></Drawer>}
      {rule && <Drawer title={eventTitle(rule.event)} close={close}><RuleDetails key={rule.id} rule={rule} channels={all} changed={changed} /></Drawer>}
    </>
  );
}

const Opens = ({ id, name }: { readonly id: string; readonly name: string }) => <button type="button" class="plainbutton" dir="auto" onClick={() => setParams({ open: id })}>{name}</button>;

function Rules({ of, channels }: { readonly of: readonly Rule[] | undefined; readonly channels: readonly Channel[] }) {
  if (of?.length === 0) return <Empty>Nobody is told of anything yet. Add a channel, then a rule.</Empty>;
  return (
    <ul class="list">
      {of?.map((one) => (
        <li key={one.id}>
          <span><Opens id={one.id} name={eventTitle(one.event)} /> <small class="quiet" dir="auto">{thresholdInWords(one.event, one.threshold)}, to {one.channels.map((id) => channelName(channels, id)).join(", ")}</small></span>
          <Tag state={one.enabled ? "active" : "disabled"}>{one.enabled ? "on" : "off"}</Tag>
        </li>
      ))}
    </ul>
  );
}

function Channels({ of }: { readonly of: readonly Channel[] | undefined }) {
  if (of?.length === 0) return <Empty>No channel yet. An alert goes to a webhook, or by e-mail.</Empty>;
  return (
    <ul class="list">
      {of?.map((one) => (
        <li key={one.id}>
          <span><Opens id={one.id} name={one.name || one.id} /> <small class="quiet" dir="auto">{one.kind} · {whereto(one)}</small></span>
          <Tag state={one.enabled ? "active" : "disabled"}>{one.enabled ? "on" : "off"}</Tag>
        </li>
      ))}
    </ul>
  );
}

interface DeliveriesProps {
  readonly channels: readonly Channel[];
  readonly rules: readonly Rule[];
  readonly status: string | null;
  readonly open: string | null;
}

function Deliveries({ channels, rules, status, open }: DeliveriesProps) {
  const path = `/admin/alerts/deliveries?${new URLSearchParams({ limit: "100", ...(status ? { status } : {}) })}`;
  const list = useList<Delivery>(path, idOf, { poll: 5_000 });
  const chosen = list.data?.find((one) => one.id === open);
  const all = columns(channels);
  return (
    <section class="sent" aria-label="Deliveries">
      <div class="head">
        <h2>What was told</h2>
        <span class="chips" role="group" aria-label="State">{STATUSES.map((one) => <button key={one} type="button" class="chip" aria-pressed={status === one} onClick={() => setParams({ status: status === one ? null : one })}>{one}</button>)}</span>
        <span class="push" />
        <CopyCurl command={curl(path)} />
      </div>
      <Problem of={list} />
      {list.data?.length === 0 ? <Empty>{status ? `Nothing is ${status}.` : "Nothing was told in the last 30 days. A channel's test is told at once."}</Empty> : <Grid label="Deliveries" columns={isNarrow.value ? narrow(all) : all} rows={list.data ?? []} chosen={open ?? ""} onOpen={(row) => setParams({ open: row.id })} onEnd={() => list.more?.()} />}
      {chosen && <Drawer title={eventTitle(chosen.event)} close={() => setParams({ open: null })}><DeliveryDetails delivery={chosen} channels={channels} rules={rules} changed={list.reload} /></Drawer>}
    </section>
  );
}
