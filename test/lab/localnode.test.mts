import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { answered, breakOff, hold, letGo } from "./held.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";
const url = `http://${vip}/`;
const hosts = ["director", "rs1"] as const;

interface Way {
  readonly kind: "DrCluster" | "NatCluster";
  /** As ipvsadm -Sn prints it. */
  readonly flag: "-g" | "-m";
  readonly self: string;
  readonly rs1: string;
  readonly director?: string;
  readonly more?: string;
}

const ways: readonly Way[] = [
  { kind: "DrCluster", flag: "-g", self: "192.168.0.200", rs1: "192.168.0.221" },
  {
    kind: "NatCluster",
    flag: "-m",
    self: "192.168.10.10",
    rs1: "192.168.10.11",
    director: `insideInterface: "eth2", dip: "192.168.10.10"`,
    more: `returnRoutes: ["192.168.0.100"],`,
  },
];

const program = ({ kind, self, rs1, director = "", more = "" }: Way, members = "") => `
new lvs.${kind}("web", {
  director: { connection: { host: "director" }, interface: "eth1", ${director} },
  vips: ["${vip}"],
  services: [{ port: 80, scheduler: "rr", ${members}
    drain: { timeout: 600, minimum: 1 },
    health: { interval: 1, fall: 2, rise: 1, check: { path: "/", body: "" } },
  }],
  realServers: [
    { name: "self", address: "${self}", connection: { host: "director" } },
    { name: "rs1", address: "${rs1}", connection: { host: "rs1" } },
  ],
  ${more}
});`;

const table = () => tableOf("director");

for (const way of ways)
  onLab(`a director that is a real server of its ${way.kind}`, () => {
    const keep = disposing();
    let stack: Stack;
    let clean: States;
    const entry = `-a -t ${vip}:80 -r ${way.self}:80 ${way.flag} -w 1\n`;

    it("answers its share", async () => {
      await run("director", "hostname >/var/www/html/index.html; systemctl start nginx");
      clean = await statesOf(hosts);
      stack = keep(await Stack.ofProgram(program(way)));
      await stack.up();
      expect(await table()).toContain(entry);
      expect(await ask(url, 20)).toEqual({ director: 10, rs1: 10 });
    });

    it("has the VIP on its own interface only, and answers ARP for it", async () => {
      const { stdout } = await run("director", "ip -o addr show; sysctl -n net.ipv4.conf.all.arp_ignore");
      expect(stdout.match(/^.* 192\.168\.0\.210\/.*$/gm)).toEqual([expect.stringMatching(/^\d+: eth1 /)]);
      expect(stdout).toMatch(/^0$/m);
    });

    it("goes out when its own nginx stops, and comes back with it", async () => {
      await run("director", "systemctl stop nginx");
      await expect.poll(table, patience).not.toContain(` -r ${way.self}:80 `);
      expect(await ask(url, 6)).toEqual({ rs1: 6 });
      await run("director", "systemctl start nginx");
      await expect.poll(table, patience).toContain(entry);
      expect(await ask(url, 10)).toEqual({ director: 5, rs1: 5 });
    });

    it("drains before it goes", async () => {
      // a connection goes to each in turn
      await expect
        .poll(async () => {
          await breakOff();
          await hold(vip);
          const active = new RegExp(`-> ${way.self.replaceAll(".", "\\.")}:80 +\\w+ +\\d+ +[1-9]`);
          const count = async () => active.test((await run("director", "sleep 1; ipvsadm -Ln")).stdout);
          return (await count()) && (await count());
        }, patience)
        .toBe(true);
      await stack.program(program(way, "members: { self: null },"));
      const up = stack.up();
      await expect.poll(table, patience).toContain(entry.replace("-w 1", "-w 0"));
      expect(await ask(url, 6)).toEqual({ rs1: 6 });
      expect(await answered()).not.toContain("ended");
      await letGo();
      await up;
      await expect.poll(answered, patience).toMatch(/^HTTP\/1\.1 200 [\s\S]*director[\s\S]*ended/);
      expect(await table()).not.toContain(way.self);
    });

    it("leaves without trace", async () => {
      await stack.destroy();
      expect(differences(clean, await statesOf(hosts))).toEqual([]);
    });
  });
