import { defineConfig } from "vite";

export default defineConfig({
  root: "page",
  // Every index stays a file of its own, loaded by its page only: what a page asks for is its download size.
  // SQLite's module asks for its wasm by name; all others are found by their checksums.
  build: { rollupOptions: { output: { assetFileNames: ({ names }) => (names.includes("sqlite3.wasm") ? "assets/sqlite3.wasm" : "assets/[name]-[hash][extname]") } }, outDir: "../dist", emptyOutDir: true, target: "esnext", assetsInlineLimit: 0, modulePreload: false, chunkSizeWarningLimit: 10_000, reportCompressedSize: false },
  worker: { format: "es" },
});
