import { defineConfig } from "vite";

export default defineConfig({
  root: "store/page",
  build: { outDir: "../../dist-store", emptyOutDir: true, target: "esnext", assetsInlineLimit: 0, modulePreload: false, chunkSizeWarningLimit: 10_000, reportCompressedSize: false },
  // PGlite finds its files beside its module.
  optimizeDeps: { exclude: ["@electric-sql/pglite"] },
  worker: { format: "es" },
});
