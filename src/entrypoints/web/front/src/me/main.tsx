import "../shared/tokens.css";
import "../shared/parts.css";
import { render } from "preact";
import { followLinks } from "../shared/address";
import { session } from "../shared/session";
import { Shell } from "../shared/shell";
import { startTheme } from "../shared/theme";
import { GROUPS } from "./pages";

startTheme("system");
followLinks((path) => path === "/app/me" || path.startsWith("/app/me/"));

const CHAT = ["/app", "Chat"] as const;
const CONSOLE = ["/app/admin", "Console"] as const;

function Portal() {
  const role = session.value?.user.platform_role;
  const others = role === "admin" || role === "auditor" ? [CONSOLE, CHAT] : [CHAT];
  return <Shell base="/app/me" label="Your account" groups={GROUPS} others={others} openWords="Anyone on this network can use this gateway as this person." />;
}

render(<Portal />, document.getElementById("root")!);
