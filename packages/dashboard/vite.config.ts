/**
 * How the page is built: hashed files into `dist`, which the server serves as they are.
 *
 * Invariant: the result runs under `script-src 'self'`: no inline script, no eval, nothing fetched from
 * elsewhere. The terminal is a chunk of its own, loaded with the first thread (INTERFACE.md "Measures").
 */
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  worker: { format: "es" },
  build: {
    target: "es2024",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
