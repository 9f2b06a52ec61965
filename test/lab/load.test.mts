import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { type Load, underLoad } from "./load.mts";
import { ask, disposing, onLab, patience, waitOn } from "./setup.mts";
import { Stack } from "./stack.mts";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Wanted {
  readonly vips?: readonly string[];
  readonly scheduler?: string;
  readonly realServers?: Readonly<Record<string, { address?: string; weight?: number }>>;
  readonly forwarding?: "gatewaying" | "masquerading";
}

const first = "192.168.0.210";
const second = "192.168.0.211";
const both = { rs1: {}, rs2: {} };
const addresses: Readonly<Record<string, string>> = { rs1: "192.168.0.221", rs2: "192.168.0.222" };

/**
 * A cluster whose every part may change. Answers return through the director, whatever the forwarding, so that it may change
 * under way: with gatewaying they have the director's own VIP as their source, hence accept_local.
 */
function program({
  vips = [first],
  scheduler = "rr",
  realServers = both,
  forwarding = "gatewaying",
}: Wanted): string {
  const servers = Object.entries(realServers).map(([name, { address = addresses[name], weight = 1 }]) => ({
    name,
    address,
    weight,
  }));
  return `
const director = { host: "director" };
const ipVs = new lvs.KernelModule("ip-vs", { connection: director, name: "ip_vs" });
const forwarding = new lvs.IpForwarding("forwarding", { connection: director, sendRedirects: false, interfaces: ["eth1", "eth2"] });
const local = ["all", "eth1"].map((name) => new lvs.Sysctl("accept-local-" + name, { connection: director, name: "net.ipv4.conf." + name + ".accept_local", value: "1" }));
const hosts = Object.fromEntries(["rs1", "rs2"].map((name) => {
  const connection = { host: name };
  const silence = new lvs.ArpSuppression(name + "-arp", { connection });
  const back = new lvs.HostRoute(name + "-back", { connection, destination: "192.168.0.100", via: "192.168.0.200" }, { dependsOn: [forwarding, ...local] });
  return [name, ${JSON.stringify(vips)}.map((address) => new lvs.VirtualAddress(name + "-" + address, { connection, interface: "lo", address }, { dependsOn: [silence, back] }))];
}));
for (const address of ${JSON.stringify(vips)}) {
  const service = new lvs.VirtualService("web-" + address, { connection: director, address, port: 80, scheduler: ${JSON.stringify(scheduler)} }, { dependsOn: [ipVs, forwarding, ...local] });
  const members = ${JSON.stringify(servers)}.map(({ name, address: rip, weight }) => new lvs.RealServer(name + "-of-" + address, {
    connection: director, service: service.id, address: rip, port: 80, forwarding: "${forwarding}", weight,
    drain: { timeout: 60, minimum: 2 },
  }, { dependsOn: hosts[name] }));
  new lvs.VirtualAddress("vip-" + address, { connection: director, interface: "eth1", address }, { dependsOn: [service, ...members] });
}
`;
}

/** The seven scenarios have 10,000 requests together, and not many more: each costs the machines 3 ms of a processor. */
const pace = { least: 1500, pause: 0.05 };

onLab("a cluster under load", () => {
  const keep = disposing();
  let stack: Stack;
  const all: [string, Load][] = [];

  const becomes = async (wanted: Wanted) => {
    await stack.program(program(wanted));
    await stack.up();
  };

  /** Nothing fails while it is done, and it is done. */
  const scenario = (
    title: string,
    work: (moveTo: (address: string) => Promise<void>) => Promise<void>,
    from = first,
  ) =>
    it(title, async () => {
      const load = await underLoad(from, work, pace);
      all.push([title, load]);
      expect(load.failures).toEqual([]);
      expect(load.requests).toBeGreaterThan(100);
      expect(load.held).toBeGreaterThan(20);
    }, 900_000);

  afterAll(() => {
    if (all.length === 0) return;
    const line = (title: string, ...numbers: (number | string)[]) =>
      `${title.padEnd(56)}${numbers.map((number) => String(number).padStart(10)).join("")}`;
    const sum = (count: (load: Load) => number) => all.reduce((total, [, load]) => total + count(load), 0);
    console.log(
      [
        line("under load", "requests", "on held", "failed"),
        ...all.map(([title, { requests, held, failures }]) => line(title, requests, held, failures.length)),
        line(
          "all",
          sum(({ requests }) => requests),
          sum(({ held }) => held),
          sum(({ failures }) => failures.length),
        ),
      ].join("\n"),
    );
  });

  it("serves", async () => {
    stack = keep(await Stack.ofProgram(program({})));
    await stack.up();
    expect(await ask(`http://${first}/`, 4)).toEqual({ rs1: 2, rs2: 2 });
  }, 900_000);

  scenario("every real server is taken out and put back", async () => {
    for (const stays of ["rs2", "rs1"] as const) {
      await becomes({ realServers: { [stays]: {} } });
      expect((await run("director", "ipvsadm -Sn")).stdout.match(/^-a /gm)).toHaveLength(1);
      await becomes({});
    }
  });

  scenario("the scheduler changes", async () => {
    for (const scheduler of ["wlc", "sh", "rr"]) await becomes({ scheduler });
  });

  scenario("weights change, also to nothing", async () => {
    await becomes({ realServers: { rs1: { weight: 5 }, rs2: { weight: 0 } } });
    await becomes({ realServers: { rs1: { weight: 1 }, rs2: { weight: 3 } } });
    await becomes({});
  });

  scenario("forwarding changes, there and back", async () => {
    await becomes({ forwarding: "masquerading" });
    expect((await run("director", "ipvsadm -Sn")).stdout).toMatch(/-r 192\.168\.0\.222:80 -m /);
    await becomes({});
    // for the connections from before
    expect((await run("director", "ip route")).stdout).toMatch(/^192\.168\.0\.222 via 192\.168\.0\.222 /m);
  });

  scenario("a real server is replaced by another", async () => {
    await becomes({ realServers: { rs1: {}, rs2: { address: "192.168.10.12" } } });
    expect((await run("director", "ipvsadm -Sn")).stdout).toMatch(/-r 192\.168\.10\.12:80 /);
    await becomes({});
  });

  scenario("a second VIP comes, and the first retires", async (moveTo) => {
    await becomes({ vips: [first, second] });
    await moveTo(second);
    // what was held at the first has ended by then
    await waitOn("client", "! ss -Htn state established dst 192.168.0.210 | grep -q .");
    await becomes({ vips: [second] });
    expect((await run("director", "ip -o addr show dev eth1")).stdout).not.toContain(first);
  });

  scenario(
    "the package is upgraded",
    async () => {
      const modules = join(stack.folder, "node_modules");
      const newer = join(modules, "pulumi-lvs");
      await rm(newer);
      await mkdir(newer);
      for (const part of ["dist", "package.json"])
        await cp(join(checkout, part), join(newer, part), { recursive: true });
      await symlink(join(checkout, "node_modules"), join(newer, "node_modules"));
      const description = JSON.parse(await readFile(join(newer, "package.json"), "utf8"));
      await writeFile(join(newer, "package.json"), JSON.stringify({ ...description, version: "999.0.0" }));
      // another version of what it keeps on hosts
      const unit = join(newer, "dist/src/shell/boot/pulumi-lvs.service");
      const text = await readFile(unit, "utf8");
      expect(text).toContain("What pulumi-lvs has declared on this host");
      await writeFile(
        unit,
        text.replace("What pulumi-lvs has declared on this host", "What the next pulumi-lvs has declared"),
      );
      await stack.program(program({ vips: [second] }));
      expect(await stack.up("--expect-no-changes")).toMatch(/unchanged/);
      await becomes({ vips: [second], realServers: { rs1: { weight: 2 }, rs2: {} } });
      expect((await run("director", "systemctl cat pulumi-lvs")).stdout).toContain(
        "What the next pulumi-lvs has declared",
      );
    },
    second,
  );

  it("has answered at least 10,000 requests, and failed none", () => {
    expect(all).toHaveLength(7);
    expect(all.reduce((sum, [, load]) => sum + load.requests, 0)).toBeGreaterThanOrEqual(10_000);
    expect(all.flatMap(([, load]) => load.failures)).toEqual([]);
  });

  it("is destroyed", async () => {
    await stack.destroy();
    expect((await run("director", "[ ! -e /proc/net/ip_vs ] || ipvsadm -Sn")).stdout).toBe("");
    await expect
      .poll(async () => (await run("director", "ip route")).stdout, patience)
      .not.toContain(" via 192.168.0.22");
  }, 900_000);
});
