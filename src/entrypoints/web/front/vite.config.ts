import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const COLOUR = "#0d0b06"; // `--paper` of the chat's own theme, amber
const ICONS = [
  { file: "src/shared/icons/icon.svg", sizes: "any", type: "image/svg+xml" },
  { file: "src/shared/icons/icon-192.png", sizes: "192x192", type: "image/png" },
  { file: "src/shared/icons/icon-512.png", sizes: "512x512", type: "image/png" },
  { file: "src/shared/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
];

/**
 * The manifest that makes the chat an app one can install. Addresses in it are relative to its own, and it has no `id`
 * but its `start_url`, so that it is right below any path of a host.
 */
function manifest(): Plugin {
  let made = "";
  return {
    name: "omg-manifest",
    apply: "build",
    generateBundle() {
      const emitted = (file: string, source: Uint8Array | string): string =>
        this.getFileName(this.emitFile({ type: "asset", name: file.slice(file.lastIndexOf("/") + 1), source }));
      const icons = ICONS.map(({ file, ...rest }) => ({ src: emitted(file, readFileSync(file)), ...rest }));
      const content = {
        name: "Open Model Gateway",
        short_name: "omg",
        description: "A chat with every model that your gateway reaches.",
        start_url: "../../app",
        scope: "../../app",
        display: "standalone",
        background_color: COLOUR,
        theme_color: COLOUR,
        icons,
      };
      made = emitted("manifest.webmanifest", `${JSON.stringify(content, null, 1)}\n`);
    },
    transformIndexHtml: {
      order: "post",
      handler: (_, { path }) => (path.endsWith("chat.html") ? [{ tag: "link", injectTo: "head", attrs: { rel: "manifest", href: `/assets/web/${made}` } }] : []),
    },
  };
}

// Three pages, one tree of shared chunks. Names carry a hash, so the server may send them as immutable; the worker's
// has none, because the browser asks for it by its address.
export default defineConfig({
  base: "/assets/web/",
  // The server may have a path before this one: it writes it into the shells, and scripts find each other from where they are.
  experimental: { renderBuiltUrl: (_, { hostType }) => (hostType === "js" ? { relative: true } : undefined) },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [manifest()],
  build: {
    outDir: process.env["OMG_WEB_OUT"] ?? "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0, // no data: addresses, so that the policy need not allow them
    modulePreload: { polyfill: false },
    assetsDir: ".",
    rolldownOptions: {
      input: { admin: "admin.html", chat: "chat.html", me: "me.html", worker: "src/chat/worker.ts" },
      output: { entryFileNames: (chunk) => (chunk.name === "worker" ? "worker.js" : "[name]-[hash].js") },
    },
  },
});
