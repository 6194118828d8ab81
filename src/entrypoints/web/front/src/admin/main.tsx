import "../shared/tokens.css";
import "../shared/parts.css";
import "./admin.css";
import "./govern.css";
import { render } from "preact";
import { followLinks } from "../shared/address";
import { Shell } from "../shared/shell";
import { startTheme } from "../shared/theme";
import { Keys, type Target } from "./jump";
import { GROUPS } from "./pages";

startTheme("system");
followLinks((path) => path === "/app/admin" || path.startsWith("/app/admin/"));

const OTHERS = [["/app/me", "Account"], ["/app", "Chat"]] as const;

/** After `g`. A page without a letter of its own is found by Ctrl K. */
const LETTERS: Readonly<Record<string, string>> = {
  "": "o", usage: "u", requests: "r", health: "h", audit: "a", alerts: "l", providers: "p", models: "m", routes: "n", playground: "y", tenants: "t", users: "e", keys: "k", budgets: "b", limits: "i", tokens: "d", settings: "s",
}; // prettier-ignore
const TARGETS: readonly Target[] = GROUPS.flatMap(([, pages]) => pages.map(([path, title]) => ({ title, key: LETTERS[path] ?? "", href: `/app/admin${path ? `/${path}` : ""}` })));

render(
  <>
    <Shell base="/app/admin" label="Console" groups={GROUPS} others={OTHERS} openWords="Anyone on this network can use this gateway and change what is set here." />
    <Keys targets={TARGETS} />
  </>,
  document.getElementById("root")!,
);
