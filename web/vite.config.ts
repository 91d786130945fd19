import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Leaves a .gz beside each asset, so that the server compresses nothing while somebody waits. */
function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    closeBundle() {
      const folder = page("dist/assets/");
      for (const name of readdirSync(folder)) {
        if (!/\.(js|mjs|css|svg)$/.test(name)) continue;
        writeFileSync(`${folder}${name}.gz`, gzipSync(readFileSync(folder + name), { level: constants.Z_BEST_COMPRESSION }));
      }
    },
  };
}

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
  plugins: [precompress()],
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
          globalSetup: "test/browser/setup.ts",
          // One Chromium at a time: two would fight for a small machine, and a map drawn in software is slow enough.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
