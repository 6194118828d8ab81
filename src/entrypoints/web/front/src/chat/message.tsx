import { seconds, usd, whole } from "../shared/format";
import { copy } from "./clipboard";
import { Prose } from "./prose";
import { attempt, change, clone, draft, showConversation, siblingsOf, current, line } from "./store";
import { again, running } from "./turns";
import { type Message, picturesOf, textOf } from "./types";

export function MessageView({ message }: { readonly message: Message }) {
  const user = message.role === "user";
  const busy = message.status === "streaming";
  return (
    <article class={`message ${message.role}`} aria-label={user ? "You" : (message.model ?? "Assistant")}>
      {message.reasoning && (
        <details class="reasoning">
          <summary>{busy && !textOf(message) ? "Thinking" : "Thoughts"}</summary>
          <p dir="auto">{message.reasoning}</p>
        </details>
      )}
      {user ? <p class="said" dir="auto">{textOf(message)}</p> : <div class={busy ? "answer busy" : "answer"}><Prose text={textOf(message)} /></div>}
      {picturesOf(message).map((part) => (
        <a key={part.file_id} href={part.url ?? ""} target="_blank" rel="noopener" class="picture">
          <img src={part.url ?? ""} alt={user ? "Picture you sent" : "Picture that was made"} loading="lazy" />
        </a>
      ))}
      {message.error && <p class="fault" role="alert">{message.error}</p>}
      {!busy && (user ? <Asked message={message} /> : <Facts message={message} />)}
    </article>
  );
}

/** Under what one said: edit, copy. */
function Asked({ message }: { readonly message: Message }) {
  return (
    <footer>
      <button type="button" onClick={() => attempt(edit(message))} disabled={running.value !== null}>edit</button>
      <button type="button" onClick={() => void copy(textOf(message))}>copy</button>
    </footer>
  );
}

/** An edited message is a clone up to the one before it, in which its text stands ready to be changed. */
async function edit(message: Message): Promise<void> {
  const before = line.value[line.value.findIndex((one) => one.id === message.id) - 1];
  if (before) await clone(before.id);
  else showConversation(null);
  draft.value = textOf(message);
}

/** Under an answer: who gave it, tokens, cost, time; and what can be done with it. */
function Facts({ message }: { readonly message: Message }) {
  const served = [message.provider, message.model].filter(Boolean).join("/");
  const idle = running.value === null && current.value !== null;
  return (
    <footer>
      {message.status !== "complete" && <span class="state">{message.status}</span>}
      {served && <span class="served">{served}</span>}
      {message.tokens_input !== null && <span>{whole(message.tokens_input)} in, {whole(message.tokens_output ?? 0)} out</span>}
      {message.cost_usd !== null ? <span>{usd(message.cost_usd)}</span> : message.unpriced && <span title="Nobody knows this model's price">unpriced</span>}
      {message.latency_ms !== null && <span>{seconds(message.latency_ms)}</span>}
      <Siblings message={message} />
      <button type="button" onClick={() => void copy(textOf(message))}>copy</button>
      <button type="button" onClick={() => attempt(again(message))} disabled={!idle}>again</button>
      <button type="button" onClick={() => attempt(clone(message.id))} disabled={!idle}>branch</button>
      {message.request_id && <button type="button" title={message.request_id} onClick={() => void copy(message.request_id!)}>id</button>}
    </footer>
  );
}

/** Earlier and later answers to the same message. */
function Siblings({ message }: { readonly message: Message }) {
  const all = siblingsOf(message);
  if (all.length < 2) return null;
  const at = all.findIndex((one) => one.id === message.id);
  const step = (by: number): void => {
    const other = all[at + by];
    if (other) attempt(change({ active_message_id: other.id }));
  };
  return (
    <span class="siblings">
      <button type="button" aria-label="Earlier answer" disabled={at === 0} onClick={() => step(-1)}>‹</button>
      <span>{at + 1} of {all.length}</span>
      <button type="button" aria-label="Later answer" disabled={at === all.length - 1} onClick={() => step(1)}>›</button>
    </span>
  );
}
