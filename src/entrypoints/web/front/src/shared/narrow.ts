import { signal } from "@preact/signals";

const query = matchMedia("(width < 760px)");

/** Whether the window is as narrow as a phone's; what is shown follows it. */
export const isNarrow = signal(query.matches);
query.addEventListener("change", () => {
  isNarrow.value = query.matches;
});
