import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Stack } from "../lab/stack.mjs";
import { missingPostgres, type Postgres, startPostgres } from "../support/postgres.js";
import {
  previewIsEmpty,
  rollBackKilled,
  stateOf,
  succeed,
  tables,
  upAtFirstStep,
  updates,
  upKilledAtFirstStep,
} from "./harness/real-updates.js";

const { threeHosts, stackOf, servicesOn, environment } = updates();

// State in PostgreSQL, with the real CLI and a real server: two computers, each a checkout and a home of its own.

const missing = missingPostgres();
const title = "state in PostgreSQL";
let server: Postgres;

async function fromElsewhere(stack: Stack): Promise<Stack> {
  const other = await stack.elsewhere({
    PULUMI_HOME: environment().PULUMI_HOME,
    FIRST_HOME: stack.env.PULUMI_HOME as string,
  });
  onTestFinished(() => other.dispose());
  return other;
}

describe.skipIf(missing !== undefined)(missing ? `${title} (skipped: ${missing})` : title, () => {
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  test("two users share a stack: one waits for the other's lock, sees its history and rolls its run back", async () => {
    const hosts = await threeHosts();
    const old = servicesOn(hosts, { weights: [1, 1, undefined] });
    const first = await stackOf(old, { PULUMI_BACKEND_URL: server.backend() });
    await first.up();
    const second = await fromElsewhere(first);
    await previewIsEmpty(second);
    const [before, state] = [tables(hosts), await stateOf(second)];

    // both at once
    await first.program(servicesOn(hosts, { weights: [2, 1, undefined] }));
    const { updating, go } = await upAtFirstStep(first, hosts[0]);
    const refused = await second.pulumi("up", "--yes", "--skip-preview");
    expect(refused.code, refused.text).not.toBe(0);
    expect(refused.text).toMatch(/currently locked by 1 lock/);
    expect(refused.text).not.toContain("planted-password");
    go();
    const done = await updating;
    expect(done.code, done.text).toBe(0);
    expect(tables(hosts)).not.toEqual(before);

    // the second computer knows the first one's run, and has no copy of its own
    const { code, text } = await second.pulumiLvs(["rollback"]);
    expect(code, text).toBe(0);
    expect(text).toMatch(/by the backend's history\n/);
    expect(text).not.toContain("planted-password");
    expect(tables(hosts)).toEqual(before);
    expect(await stateOf(second)).toEqual(state);
    const history = await first.pulumi("stack", "history", "--json");
    expect((JSON.parse(history.text) as { kind: string; message: string }[]).length).toBe(3);
    expect(history.text).toContain("pulumi-lvs rollback");
    await first.program(old);
    await previewIsEmpty(first);
    for (const copy of globSync("pulumi-lvs/*", { cwd: second.env.PULUMI_HOME as string }))
      expect(readFileSync(join(second.env.PULUMI_HOME as string, copy), "utf8")).not.toContain(
        "planted-password",
      );
  });

  test("a run that died on one computer is cancelled and rolled back on the other, and nothing before it", async () => {
    const hosts = await threeHosts();
    const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, undefined] }), {
      PULUMI_BACKEND_URL: server.backend(),
    });
    await stack.up();
    const other = await fromElsewhere(stack);
    // an update of the other computer, which has a copy of what was before it
    await other.program(servicesOn(hosts, { weights: [1, 2, undefined] }));
    await succeed(other);
    const [before, state] = [tables(hosts), await stateOf(other)];

    await stack.program(servicesOn(hosts, { weights: [3, 2, 1] }));
    await upKilledAtFirstStep(stack, hosts[0], "-w 3");
    await rollBackKilled(other);
    expect(tables(hosts)).toEqual(before);
    expect(await stateOf(other)).toEqual(state);
  });
});
