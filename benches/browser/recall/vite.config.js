import { defineConfig } from "vite";

export default defineConfig({
  root: "recall/page",
  // Each contender stays in files of its own, so that what the page asks for is its size.
  build: {
    rollupOptions: { input: { memory: "recall/page/memory.html", embedders: "recall/page/embedders.html" } },
    outDir: "../../dist-recall",
    emptyOutDir: true,
    target: "esnext",
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 10_000,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
