import { lazy } from "../shared/lazy";

/** The pages of the console: path, name, and the module that is fetched when it is first shown. A new page is a row. */
export const GROUPS = [
  ["Observe", [
    ["", "Overview", lazy(() => import("./overview"))],
    ["usage", "Usage and cost", lazy(() => import("./usage"))],
    ["requests", "Requests", lazy(() => import("./requests"))],
    ["health", "Health", lazy(() => import("./health"))],
    ["alerts", "Alerts", lazy(() => import("./alerts"))],
    ["audit", "Audit", lazy(() => import("./audit"))],
  ]],
  ["Route", [
    ["providers", "Providers", lazy(() => import("./providers"))],
    ["models", "Models and prices", lazy(() => import("./models"))],
    ["routes", "Routes", lazy(() => import("./routes"))],
    ["playground", "Playground", lazy(() => import("./playground"))],
  ]],
  ["Govern", [
    ["tenants", "Tenants", lazy(() => import("./tenants"))],
    ["users", "Users", lazy(() => import("./users"))],
    ["keys", "Virtual keys", lazy(() => import("./keys"))],
    ["budgets", "Budgets", lazy(() => import("./budgets"))],
    ["limits", "Limits", lazy(() => import("./limits"))],
    ["tokens", "Admin tokens", lazy(() => import("./tokens"))],
    ["settings", "Settings", lazy(() => import("./settings"))],
  ]],
] as const; // prettier-ignore
