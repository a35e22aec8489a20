import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the API: a `groundswell serve` on its usual port. */
const API = process.env.GROUNDSWELL_API ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/groundswell/web/static",
    emptyOutDir: true,
    // `light-dark()` stays as it is written in tokens.css.
    target: ["chrome123", "edge123", "firefox120", "safari17.5"],
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: API, ws: true } } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
