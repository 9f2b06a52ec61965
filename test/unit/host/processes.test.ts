import { describe, expect, test } from "vitest";
import { realServer } from "../../../providers/real-server/index.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { resources } from "../../support/fake/engine.js";
import { type ShellProgram, shells } from "../../support/fake/fake-host.js";
import { tracedHost } from "../../support/fake/traced.js";

const server = (n: number, weight = 1) => ({
  service: "tcp://192.168.0.219:80",
  address: `192.168.10.${n}`,
  port: 80,
  weight,
});

/** Counts the processes of each script for so many real servers, beside one that is there already. */
async function counts(shell: ShellProgram, count: number) {
  const { fake, starts } = tracedHost(shell);
  fake.write("ipvs", "-A -t 192.168.0.219:80 -s wlc\n");
  const kind = resources(realServer, fake);
  const numbers = Array.from({ length: count }, (_, n) => n + 1);
  await kind.create(server(201));
  const made = await Promise.all(numbers.map((n) => kind.create(server(n))));
  const changed = await Promise.all(numbers.map((n, i) => kind.update(made[i]?.props ?? {}, server(n, 5))));
  await Promise.all(changed.map((props) => kind.read(props)));
  await Promise.all(changed.map((props) => kind.delete(props)));
  expect(fake.lines("ipvs")).toHaveLength(2);
  const [, , create, update, read, remove, ...more] = await starts();
  expect(more).toEqual([]);
  return { create, update, read, delete: remove };
}

describe("a script starts few processes", () => {
  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "for eight real servers (%s)",
    async (_, shell) => {
      expect(await counts(shell, 8)).toEqual({ create: 10, update: 12, read: 4, delete: 12 });
    },
  );

  // dash and busybox start one more for each text of more than 4 KB that a program reads: entries, and lines of the
  // ledger that go.
  test.each([["dash"], ["busybox", "sh"]].map((shell) => [shell.join(" "), shell] as const))(
    "for a hundred real servers (%s)",
    async (_, shell) => {
      expect(await counts(shell, 100)).toEqual({ create: 11, update: 15, read: 4, delete: 15 });
    },
  );

  test("for the first change on a host, which installs the restore, and for the last deletion", async () => {
    const { fake, starts } = tracedHost(["dash"]);
    const kind = resources(virtualService, fake);
    const { props } = await kind.create({ fwmark: 1 });
    await kind.delete(props);
    const [read, first, last] = await starts();
    expect({ read, first, last }).toEqual({ read: 5, first: 21, last: 18 });
  });

  test("for a pool of two hundred real servers", async () => {
    const { fake, starts } = tracedHost(["dash"]);
    const kind = resources(virtualService, fake);
    const pool = (weight: number) => ({
      ...{ address: "192.168.0.219", port: 80 },
      realServers: Object.fromEntries(
        Array.from({ length: 200 }, (_, n) => [`192.168.10.${n + 1}:80`, { weight }]),
      ),
    });
    // The first on a host installs the restore.
    await kind.create({ fwmark: 1 }, "p/s/first");
    const { props } = await kind.create(pool(1));
    const changed = await kind.update(props, pool(2));
    await kind.read(changed);
    await kind.delete(changed);
    expect(fake.lines("ipvs")).toEqual(["-A -f 1 -s wlc"]);
    const [create, update, read, remove] = (await starts()).slice(-4);
    // 18, 22, 6 and 22, where a process for each server would be hundreds.
    expect(Math.max(create ?? 99, update ?? 99, remove ?? 99)).toBeLessThanOrEqual(24);
    expect(read).toBeLessThanOrEqual(7);
  });
});
