import { effect, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark", "amber", "green"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "omg.theme";
let fallback: Theme = "system";

const stored = (): Theme => {
  const found = localStorage.getItem(KEY) as Theme | null;
  return found && THEMES.includes(found) ? found : fallback;
};

/** The theme in force on this device. `system` follows the browser; amber and green are the terminal's. */
export const theme = signal<Theme>("system");

/** Begin with the theme that is stored on this device, else with the page's own. */
export function startTheme(own: Theme): void {
  fallback = own;
  theme.value = stored();
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === "system") delete dataset["theme"];
    else dataset["theme"] = theme.value;
    colourWindow();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colourWindow);
  addEventListener("storage", (event) => {
    if (event.key === KEY) theme.value = stored();
  });
}

/** An installed app's title bar, and a phone's status bar, are as the page is. */
function colourWindow(): void {
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", getComputedStyle(document.body).backgroundColor);
}

export function setTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(KEY, chosen);
}
