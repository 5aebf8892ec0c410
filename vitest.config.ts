import { defineConfig } from "vitest/config";

// Tests run from source: the condition is declared by each package's exports.
const conditions = ["@sennit/source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts", "examples/src/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores, and tests that start processes: more workers only make each other late.
    maxWorkers: 2,
  },
});
