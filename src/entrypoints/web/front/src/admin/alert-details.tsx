import { useState } from "preact/hooks";
import { setParams } from "../shared/address";
import { ChangeForm, Choices } from "../shared/change-form";
import { ticked } from "../shared/changes";
import { ahead, moment, stretch } from "../shared/format";
import { sendJson } from "../shared/http";
import { ofFile } from "../shared/owner";
import { Confirmed, CopyCurl, Empty, Form, Tag, curl, type Asked } from "../shared/parts";
import { useStay } from "../shared/stay";
import { CHANNEL_FIELDS, EVENTS, aboutPage, channelName, eventTitle, thresholdInWords, whereto, type Channel, type Delivery, type Rule } from "./alert-words";

const history = (kind: string, id: string): string => `/app/admin/audit?${new URLSearchParams({ object_kind: kind, object_id: id })}`;
const named = (channels: readonly Channel[]) => channels.map((one) => [one.id, `${one.name || whereto(one)} (${one.kind})`] as const);

export function NewRule({ channels, made }: { readonly channels: readonly Channel[]; readonly made: () => void }) {
  const stay = useStay();
  const [event, setEvent] = useState(0);
  const [, , unit, own] = EVENTS[event]!;
  if (channels.length === 0) return <Empty>A rule tells a channel. <button type="button" class="plainbutton" onClick={() => setParams({ open: "new-channel" })}>Add a channel</button> first.</Empty>;
  const asks = (form: FormData): Asked => {
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    return ["POST", "/admin/alerts/rules", {
      event: text("event"), channels: form.getAll("channels"), ...(text("threshold") ? { threshold: Number(text("threshold")) } : {}),
      ...(text("cooldown_seconds") ? { cooldown_seconds: Number(text("cooldown_seconds")) } : {}),
    }]; // prettier-ignore
  };
  const send = async (form: FormData): Promise<void> => {
    const rule = await sendJson<Rule>(...asks(form));
    made();
    stay({ open: rule.id });
  };
  return (
    <Form label="Add rule" send={send} asks={asks}>
      <label>When <select name="event" onChange={(change) => setEvent(change.currentTarget.selectedIndex)}>{EVENTS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</select></label>
      <label>Threshold <input name="threshold" inputMode="decimal" autocomplete="off" maxLength={20} /><small>{unit === "none" ? "This event has none." : `${unit === "days" ? "Days that are left" : "A share, such as 0.8"}. Empty: ${own}.`}</small></label>
      <label>Silent afterwards <input name="cooldown_seconds" inputMode="numeric" autocomplete="off" placeholder="300" maxLength={10} /><small>Seconds in which the same is not told again.</small></label>
      <Choices name="channels" label="Tell" choices={named(channels)} of={channels.length === 1 ? [channels[0]!.id] : []} />
    </Form>
  );
}

export function RuleDetails({ rule, channels, changed }: { readonly rule: Rule; readonly channels: readonly Channel[]; readonly changed: () => void }) {
  const stay = useStay();
  const path = `/admin/alerts/rules/${encodeURIComponent(rule.id)}`;
  const end = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{rule.id}</code></dd>
        <dt>State</dt><dd><Tag state={rule.enabled ? "active" : "disabled"}>{rule.enabled ? "on" : "off"}</Tag></dd>
        <dt>Tells</dt><dd>{thresholdInWords(rule.event, rule.threshold)}</dd>
        <dt>Then silent</dt><dd>for {stretch(rule.cooldown_seconds)} about the same</dd>
        <dt>Channels</dt><dd>{rule.channels.map((id) => <div key={id}><button type="button" class="plainbutton" dir="auto" onClick={() => setParams({ open: id })}>{channelName(channels, id)}</button></div>)}</dd>
      </dl>
      <p class="buttons">
        <a class="btn" href={history("alert_rule", rule.id)}>Its history</a>
        <CopyCurl command={curl(path)} />
        {!ofFile(rule) && <Confirmed label="Delete rule" question={`Nobody is told any more: ${eventTitle(rule.event).toLowerCase()}.`} run={end} />}
      </p>
      <h3>Change</h3>
      <ChangeForm path={path} listed={rule} done={changed} label="Change rule" fields={[
        { name: "enabled", label: "It is on", kind: "check" },
        { name: "threshold", label: "Threshold", kind: "number", hint: `Empty: ${EVENTS.find(([name]) => name === rule.event)?.[3] ?? "its own"}.` },
        { name: "cooldown_seconds", label: "Silent afterwards", kind: "number", hint: "Seconds in which the same is not told again." },
        { name: "channels", label: "Tell", ...ticked(named(channels)) },
      ]} />
    </>
  );
}

/** The secret that signs a webhook is shown when it was made here, this once. */
export function NewChannel({ made }: { readonly made: () => void }) {
  const stay = useStay();
  const [kind, setKind] = useState("webhook");
  const [created, setCreated] = useState<{ readonly id: string; readonly secret?: string }>();
  if (created?.secret) return <Made id={created.id} secret={created.secret} />;
  const send = async (form: FormData): Promise<void> => {
    const text = (name: string): string => String(form.get(name) ?? "").trim();
    const [field] = CHANNEL_FIELDS[kind]!;
    const body = { kind, name: text("name"), [field!.name]: field!.read!(text(field!.name)), ...(kind === "webhook" && text("secret") ? { secret: text("secret") } : {}) };
    const channel = await sendJson<{ readonly id: string; readonly secret?: string }>("POST", "/admin/alerts/channels", body);
    made();
    if (channel.secret) setCreated(channel);
    else stay({ open: channel.id });
  };
  return (
    <Form label="Add channel" send={send}>
      <label>Kind <select name="kind" value={kind} onChange={(event) => setKind(event.currentTarget.value)}><option value="webhook">webhook</option><option value="email">e-mail</option></select></label>
      <label>Name <input name="name" maxLength={200} autocomplete="off" dir="auto" placeholder="on call" /></label>
      {kind === "webhook" ? (
        <>
          <label>Address <input name="url" required type="url" autocomplete="off" placeholder="https://…" maxLength={2000} /><small>It is sent a POST, signed in x-omg-signature.</small></label>
          <label>Secret <input name="secret" type="password" autocomplete="off" maxLength={500} /><small>That signs. Empty: one is made, and shown once.</small></label>
        </>
      ) : <label>To <input name="to" required autocomplete="off" placeholder="ops@example.org" maxLength={2000} /><small>Addresses, with spaces between. OMG_SMTP_URL names the server.</small></label>}
    </Form>
  );
}

const Made = ({ id, secret }: { readonly id: string; readonly secret: string }) => (
  <>
    <p role="status">The secret that signs is shown this once.</p>
    <pre class="secret" tabIndex={0}>{secret}</pre>
    <p class="buttons">
      <button type="button" class="btn primary" onClick={() => void navigator.clipboard.writeText(secret)}>Copy secret</button>
      <button type="button" class="btn" onClick={() => setParams({ open: id })}>Open the channel</button>
    </p>
  </>
);

export function ChannelDetails({ channel, rules, changed }: { readonly channel: Channel; readonly rules: readonly Rule[]; readonly changed: () => void }) {
  const stay = useStay();
  const [tested, setTested] = useState<{ readonly ok: boolean; readonly message: string }>();
  const path = `/admin/alerts/channels/${encodeURIComponent(channel.id)}`;
  const test = (): void => {
    setTested({ ok: true, message: "…" });
    void sendJson<{ readonly ok: boolean; readonly message: string }>("POST", `${path}/test`).then(setTested, (error: Error) => setTested({ ok: false, message: error.message }));
  };
  const end = async (): Promise<void> => {
    await sendJson("DELETE", path);
    changed();
    stay({ open: null });
  };
  const used = rules.filter((one) => one.channels.includes(channel.id));
  return (
    <>
      <dl class="pairs">
        <dt>Id</dt><dd><code>{channel.id}</code></dd>
        <dt>State</dt><dd><Tag state={channel.enabled ? "active" : "disabled"}>{channel.enabled ? "on" : "off"}</Tag></dd>
        <dt>Kind</dt><dd>{channel.kind}</dd>
        <dt>{channel.url ? "Address" : "To"}</dt><dd dir="auto">{whereto(channel)}</dd>
        {channel.fingerprint && [<dt key="f">Secret</dt>, <dd key="s">kept sealed, fingerprint <code>{channel.fingerprint}</code></dd>]}
        <dt>Rules</dt><dd>{used.length === 0 ? "none tells it anything" : used.map((one) => <div key={one.id}><button type="button" class="plainbutton" onClick={() => setParams({ open: one.id })}>{eventTitle(one.event)}</button></div>)}</dd>
      </dl>
      <p class="buttons">
        <button type="button" class="btn primary" onClick={test}>Send a test</button>
        <a class="btn" href={history("alert_channel", channel.id)}>Its history</a>
        <CopyCurl command={curl(path)} />
        {!ofFile(channel) && <Confirmed label="Delete channel" question={`Deletes ${channel.name || channel.id}; ${used.length} ${used.length === 1 ? "rule tells" : "rules tell"} it no more.`} run={end} />}
      </p>
      {tested && <p class={tested.ok ? "quiet" : "fault"} role="status" dir="auto">{tested.message}</p>}
      <h3>Change</h3>
      <ChangeForm path={path} listed={channel} done={changed} label="Change channel" fields={[{ name: "name", label: "Name", read: (text) => text }, ...(CHANNEL_FIELDS[channel.kind] ?? []), { name: "enabled", label: "It is on", kind: "check" }]} />
      {channel.kind === "webhook" && !ofFile(channel) && <NewSecret path={path} done={changed} />}
    </>
  );
}

function NewSecret({ path, done }: { readonly path: string; readonly done: () => void }) {
  const [said, setSaid] = useState("");
  const send = async (form: FormData): Promise<void> => {
    await sendJson("PATCH", path, { secret: String(form.get("secret")) });
    setSaid("The new secret signs from now on.");
    done();
  };
  return (
    <>
      <h3>Another secret</h3>
      <Form label="Replace secret" send={send}>
        <label>Secret <input name="secret" type="password" required autocomplete="off" maxLength={500} /><small>It is kept sealed and never shown.</small></label>
        {said && <p class="quiet" role="status">{said}</p>}
      </Form>
    </>
  );
}

interface DeliveryProps {
  readonly delivery: Delivery;
  readonly channels: readonly Channel[];
  readonly rules: readonly Rule[];
  readonly changed: () => void;
}

export function DeliveryDetails({ delivery, channels, rules, changed }: DeliveryProps) {
  const { body } = delivery;
  const page = aboutPage(body.subject, delivery.event);
  const name = <span dir="auto">{body.subject.name || body.subject.id}</span>;
  const rule = rules.find((one) => one.id === delivery.rule_id);
  return (
    <>
      <p dir="auto">{body.text}</p>
      <dl class="pairs">
        <dt>State</dt><dd><Tag state={delivery.status === "failed" ? "failed" : delivery.next_attempt_at ? "degraded" : "ok"}>{delivery.status}</Tag>{delivery.next_attempt_at ? `, again ${ahead(delivery.next_attempt_at)}` : ""}</dd>
        <dt>Tries</dt><dd>{delivery.attempts}</dd>
        {delivery.error && [<dt key="e">Said</dt>, <dd key="d" dir="auto">{delivery.error}</dd>]}
        <dt>About</dt><dd>{page ? <a href={page}>{name}</a> : name} <span class="quiet">{body.subject.kind.replaceAll("_", " ")}</span></dd>
        {body.limit !== null && [<dt key="v">Value</dt>, <dd key="w">{String(body.value)} of {String(body.limit)}</dd>]}
        <dt>Told</dt><dd>{moment(delivery.created_at)}{delivery.delivered_at ? `, delivered ${moment(delivery.delivered_at)}` : ""}</dd>
        <dt>To</dt><dd><button type="button" class="plainbutton" dir="auto" onClick={() => setParams({ open: delivery.channel_id })}>{channelName(channels, delivery.channel_id)}</button></dd>
        <dt>By rule</dt><dd>{rule ? <button type="button" class="plainbutton" onClick={() => setParams({ open: rule.id })}>{eventTitle(rule.event)}</button> : delivery.rule_id ? "one that is gone" : "none: it was a test"}</dd>
        <dt>Id</dt><dd><code>{body.id}</code></dd>
      </dl>
      {delivery.status === "failed" && <Resend delivery={delivery} open={channels.some((one) => one.id === delivery.channel_id && one.enabled)} changed={changed} />}
    </>
  );
}

/** The same alert once more, for a channel that takes some again. */
function Resend({ delivery, open, changed }: { readonly delivery: Delivery; readonly open: boolean; readonly changed: () => void }) {
  const [error, setError] = useState("");
  const send = (): void => {
    void sendJson("POST", `/admin/alerts/deliveries/${encodeURIComponent(delivery.id)}/resend`).then(changed, (problem: Error) => setError(problem.message));
  };
  return (
    <>
      <p class="buttons">
        <button type="button" class="btn primary" disabled={!open} onClick={send}>Send again</button>
        <a class="btn" href={history("alert_delivery", delivery.id)}>Its history</a>
      </p>
      {!open && <p class="quiet">Its channel is gone or off, and takes nothing.</p>}
      {error && <p class="fault" role="alert" dir="auto">{error}</p>}
    </>
  );
}
