import { notice } from "./store";

export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notice.value = "Copied.";
  } catch {
    notice.value = "The browser does not let this page copy.";
  }
}
