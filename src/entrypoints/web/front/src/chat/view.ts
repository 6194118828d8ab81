import { signal } from "@preact/signals";

export type Sheet = "" | "model" | "system" | "templates" | "usage" | "export" | "settings" | "help";

/** Which of the dialogs is open. */
export const sheet = signal<Sheet>("");

/** Whether the list of conversations is beside the messages (or, on a phone, over them). */
export const sidebar = signal(matchMedia("(width >= 900px)").matches);
