import { signal } from "@preact/signals";
import { below } from "./base-path";

/** "reached", "away" (no network, or no gateway), or nothing yet. */
export const gateway = signal<"" | "reached" | "away">("");

export async function lookForGateway(): Promise<void> {
  try {
    gateway.value = (await fetch(below("/health"), { cache: "no-store" })).ok ? "reached" : "away";
  } catch {
    gateway.value = "away";
  }
}
addEventListener("online", () => void lookForGateway());
addEventListener("offline", () => {
  gateway.value = "away";
});
