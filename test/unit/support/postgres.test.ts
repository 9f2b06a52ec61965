import { globSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { missingPostgres, startPostgres } from "../../support/postgres.js";

test("tests of PostgreSQL name the package of a program that is missing, and leave no folder", async () => {
  const folders = () => globSync(join(tmpdir(), "lvs-pg-*"));
  const before = folders();
  vi.stubEnv("PATH", "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(missingPostgres()).toMatch(
    /^there is no .*postgresql-client: node scripts\/setup\.mjs --lab gets it$/,
  );
  await expect(startPostgres()).rejects.toThrow(/there is no .*postgresql-client/);
  expect(folders().filter((one) => !before.includes(one))).toEqual([]);
});
