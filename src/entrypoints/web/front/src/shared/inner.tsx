import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** What is shown, and asked for, once somebody wants it. */
export function Inner({ title, children }: { readonly title: ComponentChildren; readonly children: () => ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="inner" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && children()}
    </details>
  );
}
