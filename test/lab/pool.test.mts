import { expect, it } from "vitest";
import { reboot } from "../support/machines/lab.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { restored } from "./restored.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

interface Scene {
  readonly pool: boolean;
  readonly weight?: number;
  readonly names?: readonly string[];
}

const addresses: Record<string, string> = { rs1: "192.168.0.221", rs2: "192.168.0.222" };

const program = ({ pool, weight = 1, names = ["rs1", "rs2"] }: Scene) => `
const server = (name, address, weight) => ({ name, address, weight, connection: { host: name } });
new lvs.DrCluster("web", {
  director: { connection: { host: "director" }, interface: "eth1" },
  vips: ["192.168.0.210"],
  services: [{ port: 80, scheduler: "rr" }],
  realServers: [${names.map((name) => `server("${name}", "${addresses[name]}", ${name === "rs1" ? weight : 2})`).join(", ")}],
  drain: { timeout: 30, minimum: 1 },
  pool: ${pool},
});
`;

const table = () => tableOf("director");
const lines = (text: string) => text.split("\n").sort();

onLab("a pool", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("takes over the members of a cluster and gives them back under load, and no request fails", async () => {
    clean = await statesOf(["director", "rs1", "rs2"]);
    stack = keep(await Stack.ofProgram(program({ pool: false })));
    await stack.up();
    const before = await table();
    const load = await underLoad("192.168.0.210", async () => {
      await stack.program(program({ pool: true }));
      await stack.up();
      expect(await table()).toBe(before);
      await stack.program(program({ pool: false }));
      await stack.up();
      expect(await table()).toBe(before);
      await stack.program(program({ pool: true }));
      await stack.up();
    });
    expect(load.failures).toEqual([]);
    expect(Object.keys(load.servers).sort()).toEqual(["rs1", "rs2"]);
    expect(await table()).toBe(before);
    const { text } = await stack.pulumi("preview");
    expect(text).not.toMatch(/[+~-] +\d+ to (create|update|delete)/);
  });

  it("names the server of a changed weight in the preview", async () => {
    await stack.program(program({ pool: true, weight: 3 }));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/192\.168\.0\.221:80[^\n]*\n\s+~ weight: 1 => 3$/m);
    await stack.up();
    expect(await table()).toContain("-r 192.168.0.221:80 -g -w 3\n");
  });

  it("is restored at boot, server by server", async () => {
    const before = lines(await table());
    await reboot("director");
    await restored("director");
    expect(lines(await table())).toEqual(before);
  });

  it("drains a server that leaves it, and goes without a trace", async () => {
    await stack.program(program({ pool: true, weight: 3, names: ["rs1"] }));
    expect(await stack.up()).toMatch(/192\.168\.0\.222:80 of tcp:\/\/192\.168\.0\.210:80 drained in \d+ s/);
    expect(await table()).not.toContain("192.168.0.222");
    await stack.destroy();
    expect(differences(clean, await statesOf(["director", "rs1", "rs2"]))).toEqual([]);
  });
});
