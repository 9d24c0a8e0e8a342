import { defineConfig } from "vite";

export default defineConfig({
  build: {
    // The oldest engines that onhand supports.
    target: ["chrome120", "firefox121", "safari17"],
    // The policy of public/_headers allows no data: URL for scripts or wasm.
    assetsInlineLimit: 0,
  },
  // onhand's engine is a module worker.
  worker: { format: "es" },
  // `vite` in development must serve the package's files as they are, so that it finds its wasm.
  optimizeDeps: { exclude: ["onhand"] },
});
