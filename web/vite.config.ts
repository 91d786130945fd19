import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

// Four pages, one build. Go serves the hashed files under /assets/ for ever and fills in the pages, so nothing here may
// be inlined: the content security policy allows neither inline scripts nor data: scripts.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  publicDir: "public",
  build: {
    outDir: "dist",
    // dist/.gitkeep lets the Go package compile without a build; public/.gitkeep puts it back after each one.
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: ["customer.html", "notfound.html", "ops.html", "docs.html"].map(page),
    },
  },
  worker: { format: "es" },
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          environment: "node",
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          environment: "node",
          // One real server and one Chromium per file; two files at once would fight for a small machine.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
