import { describe, expect, test } from "vitest";
import { realServer } from "../../../providers/real-server/index.js";
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
      expect(await counts(shell, 8)).toEqual({ create: 12, update: 14, read: 5, delete: 14 });
    },
  );

  // dash and busybox start one more for each text of more than 4 KB that a program reads.
  test.each([["dash"], ["busybox", "sh"]].map((shell) => [shell.join(" "), shell] as const))(
    "for a hundred real servers (%s)",
    async (_, shell) => {
      expect(await counts(shell, 100)).toEqual({ create: 13, update: 16, read: 5, delete: 16 });
    },
  );
});
