import { lazy } from "../shared/lazy";

/** The pages of the portal: path, name, and the module that is fetched when it is first shown. A new page is a row. */
export const GROUPS = [
  ["Yours", [
    ["", "Overview", lazy(() => import("./usage"))],
    ["requests", "Requests", lazy(() => import("./requests"))],
    ["keys", "Keys", lazy(() => import("./keys"))],
  ]],
  ["You", [
    ["tenants", "Tenants", lazy(() => import("./tenants"))],
    ["account", "Account", lazy(() => import("./account"))],
  ]],
] as const; // prettier-ignore
