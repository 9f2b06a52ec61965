import { defineConfig } from "vitest/config";

// npm run bench:hosts. The fake hosts are those of the fault tests, which vitest loads.
export default defineConfig({
  test: { include: ["test/bench/hosts.ts"], testTimeout: 3_600_000, hookTimeout: 3_600_000 },
});
