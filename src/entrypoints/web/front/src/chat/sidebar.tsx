import { useEffect, useRef } from "preact/hooks";
import { ago } from "../shared/format";
import { attempt, conversations, current, loadConversations, moreConversations, remove, searched, showConversation } from "./store";
import { sheet, sidebar } from "./view";

/** One's conversations, found by any of their words. */
export function Sidebar() {
  const later = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(later.current), []);
  const search = (text: string): void => {
    searched.value = text;
    clearTimeout(later.current);
    later.current = setTimeout(() => attempt(loadConversations()), 180);
  };
  const away = (): void => {
    if (matchMedia("(width < 900px)").matches) sidebar.value = false;
  };
  return (
    <nav class="past" aria-label="Conversations">
      <button type="button" class="new" onClick={() => { showConversation(null); away(); }}>+ new conversation</button>
      <input id="find" type="search" aria-label="Search conversations" placeholder="search" value={searched.value} onInput={(event) => search(event.currentTarget.value)} />
      <ul>
        {conversations.value.map((one) => (
          <li key={one.id}>
            <a href={`/app/c/${one.id}`} aria-current={one.id === current.value?.id ? "page" : undefined} onClick={away}>
              <span dir="auto">{one.title}</span>
              <small>{ago(one.updated_at)} · {one.messages} {one.messages === 1 ? "message" : "messages"}</small>
            </a>
            <button type="button" aria-label={`Delete ${one.title}`} title="Delete" onClick={() => {
              if (confirmed(one.title)) attempt(remove(one.id));
            }}>×</button>
          </li>
        ))}
      </ul>
      {conversations.value.length === 0 && <p class="quiet">{searched.value ? "Nothing has these words." : "What you ask is kept here."}</p>}
      {moreConversations.value && <button type="button" onClick={() => attempt(loadConversations(true))}>older ones</button>}
      <p class="links">
        <button type="button" onClick={() => { sheet.value = "usage"; }}>usage</button>
        <a href="/app/admin">console</a>
        <a href="/app/me">account</a>
      </p>
    </nav>
  );
}

const confirmed = (title: string): boolean => window.confirm(`Delete “${title}” with its messages?`);
