import { useEffect, useRef, useState } from "preact/hooks";
import { completions, isCommand, runCommand } from "./commands";
import { attempt, draft, notice, upload } from "./store";
import { running, send, stop } from "./turns";
import { sheet } from "./view";

const KINDS = "image/png,image/jpeg,image/webp,image/gif";

/** Where one types. Enter sends, Shift+Enter breaks the line, never while a word is being composed. */
export function Composer() {
  const box = useRef<HTMLTextAreaElement>(null);
  const [pictures, setPictures] = useState<readonly string[]>([]);
  const [at, setAt] = useState(0);
  const offered = completions(draft.value);
  const chosen = Math.min(at, offered.length - 1);
  useEffect(() => {
    if (draft.value && !matchMedia("(pointer: coarse)").matches) box.current?.focus();
  }, [draft.value === ""]);
  const take = (text: string): void => {
    draft.value = text;
    setAt(0);
    box.current?.focus();
  };
  const submit = (): void => {
    const text = draft.value.trim();
    if (!text && pictures.length === 0) return;
    const command = isCommand(draft.value);
    if (!command && /^\/[a-z]+(\s|$)/.test(draft.value)) return void (notice.value = "No command is called so. With a space before it, it is sent as a message.");
    if (!command && running.value) return void (notice.value = "An answer is still coming: stop it, or wait for its end.");
    draft.value = "";
    setAt(0);
    if (command) return runCommand(text);
    setPictures([]);
    attempt(send(text, pictures));
  };
  const add = async (list: FileList): Promise<void> => {
    for (const file of list) {
      const id = await upload(file);
      setPictures((known) => [...known, id]);
    }
  };
  const keys = (event: KeyboardEvent): void => {
    const done = !event.isComposing && (complete(event, offered, chosen, setAt, take) || press(event, submit));
    if (done) event.preventDefault();
  };
  const paste = (event: ClipboardEvent): void => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    attempt(add(event.clipboardData.files));
  };
  return (
    <form class="ask" aria-label="Ask" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Offered offered={offered} chosen={chosen} take={take} />
      <Attached pictures={pictures} remove={(id) => setPictures(pictures.filter((one) => one !== id))} />
      <span class="prompt" aria-hidden="true">&gt;</span>
      <textarea
        id="ask" ref={box} rows={1} aria-label="Message" placeholder="message, or / for commands" dir="auto" autocomplete="off"
        aria-autocomplete="list" {...(offered.length > 0 ? { "aria-controls": "offered", "aria-activedescendant": `offered-${chosen}` } : {})}
        value={draft.value} onInput={(event) => { draft.value = event.currentTarget.value; setAt(0); notice.value = ""; }} onKeyDown={keys} onPaste={paste}
      />
      <Tools add={(list) => attempt(add(list))} />
    </form>
  );
}

type Offers = ReturnType<typeof completions>;

/** Arrows move through what is offered, Tab takes it, and Enter where it is not yet what stands there. */
function complete(event: KeyboardEvent, offered: Offers, chosen: number, move: (at: number) => void, take: (text: string) => void): boolean {
  const one = offered[chosen];
  if (!one) return false;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    move((chosen + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length);
    return true;
  }
  if (event.key !== "Tab" && (event.key !== "Enter" || one.insert.trim() === draft.value.trim())) return false;
  take(one.insert);
  return true;
}

function press(event: KeyboardEvent, submit: () => void): boolean {
  if (event.key === "Escape") stop();
  if (event.key !== "Enter" || event.shiftKey) return false;
  submit();
  return true;
}

function Offered({ offered, chosen, take }: { readonly offered: Offers; readonly chosen: number; readonly take: (text: string) => void }) {
  if (offered.length === 0) return null;
  return (
    <ul class="offered" id="offered" role="listbox" aria-label="Commands">
      {offered.map((one, i) => (
        <li key={one.insert} id={`offered-${i}`} role="option" aria-selected={i === chosen} onClick={() => take(one.insert)}>
          <b>{one.label}</b> <span>{one.does}</span>
        </li>
      ))}
    </ul>
  );
}

function Attached({ pictures, remove }: { readonly pictures: readonly string[]; readonly remove: (id: string) => void }) {
  if (pictures.length === 0) return null;
  return (
    <p class="attached">
      {pictures.map((id) => (
        <button key={id} type="button" aria-label="Take this picture away" onClick={() => remove(id)}>
          <img src={`/api/files/${id}`} alt="Picture to be sent" />×
        </button>
      ))}
    </p>
  );
}

function Tools({ add }: { readonly add: (files: FileList) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const taken = (): void => {
    const chosen = new DataTransfer();
    for (const file of files.current?.files ?? []) chosen.items.add(file);
    files.current!.value = ""; // so that the same file can be chosen again
    add(chosen.files);
  };
  return (
    <span class="tools">
      <input ref={files} type="file" accept={KINDS} multiple hidden onChange={taken} />
      <button type="button" class="tool" aria-label="Attach a picture" title="Attach a picture" onClick={() => files.current!.click()}>+</button>
      <button type="button" class="tool" aria-label="Templates" title="Templates" onClick={() => { sheet.value = "templates"; }}>{"{}"}</button>
      {running.value ? <button type="button" class="stop" onClick={stop}>stop</button> : <button class="send">send</button>}
    </span>
  );
}
