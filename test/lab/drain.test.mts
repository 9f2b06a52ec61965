import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { sendSignal } from "../support/send-signal.mts";
import { answered, breakOff, hold, letGo } from "./held.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { descendants } from "./processes.mts";
import { ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

interface Scene {
  /** Real servers, and more of what each is given. */
  readonly servers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly persistence?: string;
  /** net.ipv4.vs.expire_quiescent_template */
  readonly expire?: string;
}

const addresses: Record<string, string> = { rs1: "192.168.10.11", rs2: "192.168.10.12" };

const program = ({ servers, timeout, persistence = "null", expire = "0" }: Scene) => `
const connection = { host: "director" };
const drain = { timeout: ${timeout}, minimum: 1 };
new lvs.IpForwarding("forwarding", { connection });
const loaded = new lvs.KernelModule("ip-vs", { connection, name: "ip_vs" });
const name = "net.ipv4.vs.expire_quiescent_template";
const expire = new lvs.Sysctl("expire", { connection, name, value: "${expire}" }, { dependsOn: loaded });
const address = "192.168.0.210", port = 80, forwarding = "masquerading";
const web = new lvs.VirtualService("web", { connection, address, port, scheduler: "rr", persistence: ${persistence} }, { dependsOn: expire });
const servers = [
  ${Object.entries(servers)
    .map(
      ([name, more]) =>
        `new lvs.RealServer("${name}", { connection, service: web.id, address: "${addresses[name]}", port, forwarding, drain, ${more} })`,
    )
    .join(",\n  ")}
];
new lvs.VirtualAddress("vip", { connection, interface: "eth1", address }, { dependsOn: [web, ...servers] });
for (const host of ["rs1", "rs2"])
  new lvs.HostRoute(host + "-back", { connection: { host }, destination: "192.168.0.100", via: "192.168.10.10" });
`;

const url = "http://192.168.0.210/";
const table = () => tableOf("director");
const draining = async () =>
  (await run("director", "cat /run/pulumi-lvs/draining", { allowFailure: true })).stdout;

/** A request of the client that lasts, as the director counts it. */
async function holdOne(): Promise<void> {
  await hold("192.168.0.210");
  await expect.poll(async () => (await active()).length, patience).toBe(1);
}

/** Real servers that the director counts active connections of. */
const active = async () =>
  [...(await run("director", "ipvsadm -Ln")).stdout.matchAll(/-> (\S+):80 +Masq +\d+ +([1-9]\d*) /g)].map(
    ([, address]) => address,
  );

onLab("draining", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("starts from a cluster with one real server", async () => {
    clean = await statesOf(["director", "rs1", "rs2"]);
    stack = keep(await Stack.ofProgram(program({ servers: { rs1: "" }, timeout: 600 })));
    await stack.up();
    expect(await ask(url, 2)).toEqual({ rs1: 2 });
  });

  it("of a server that is replaced lets its request end by itself, while new ones go to the new server", async () => {
    await holdOne();
    await stack.program(program({ servers: { rs2: "" }, timeout: 600 }));
    const up = stack.up();
    await expect.poll(draining, patience).toMatch(/^tcp:\/\/192\.168\.0\.210:80\t192\.168\.10\.11:80\t\d+$/m);
    expect(await table()).toMatch(/-r 192\.168\.10\.11:80 -m -w 0\n.*-r 192\.168\.10\.12:80 -m -w 1\n/);
    expect(await ask(url, 4)).toEqual({ rs2: 4 });
    expect(await active()).toEqual(["192.168.10.11"]);
    await letGo();
    const text = await up;
    expect(text).toMatch(/director: 192\.168\.10\.11:80 of tcp:\/\/192\.168\.0\.210:80 drained in \d+ s/);
    expect(await answered()).toMatch(/200 OK[\s\S]*rs1/);
    expect(await table()).toBe(
      "-A -t 192.168.0.210:80 -s rr\n-a -t 192.168.0.210:80 -r 192.168.10.12:80 -m -w 1\n",
    );
    expect(await draining()).toBe("");
  });

  it("is shown by the service, and that is no difference", async () => {
    await stack.refresh("--expect-no-changes");
    const web = (await stack.resources()).find(({ type }) => type.endsWith(":VirtualService"));
    expect(web?.outputs.drained).toMatchObject([{ server: "192.168.10.11:80", forced: 0, clean: true }]);
  });

  it("ends at the deadline, and says how many connections were cut off", async () => {
    await holdOne();
    await stack.program(program({ servers: { rs1: "", rs2: "" }, timeout: 5 }));
    await stack.up();
    await stack.program(program({ servers: { rs1: "" }, timeout: 5 }));
    expect(await stack.up()).toMatch(/192\.168\.10\.12:80 of \S+ cut off with 1 connection after \d+ s/);
    expect(await table()).not.toContain("192.168.10.12");
    expect(await answered()).toBe("");
  });

  it("survives a killed run, and is called off by declaring the server again: its connection never notices", async () => {
    await breakOff();
    await stack.program(program({ servers: { rs1: "weight: 3" }, timeout: 600 }));
    await stack.up();
    await holdOne();
    await stack.program(program({ servers: { rs2: "" }, timeout: 600 }));
    let pid = 0;
    const args = ["up", "--yes", "--skip-preview", "--stack", "program", "--non-interactive"];
    const killed = stack.run("pulumi", args, (child) => {
      pid = child.pid as number;
    });
    await expect.poll(draining, patience).toContain("192.168.10.11:80");
    const plugins = descendants(pid);
    process.kill(pid, "SIGKILL");
    for (const plugin of plugins) sendSignal(plugin, "SIGKILL");
    expect((await killed).code).not.toBe(0);
    expect(await table()).toContain("-r 192.168.10.11:80 -m -w 0\n");
    await stack.pulumi("cancel", "--yes");
    await stack.program(program({ servers: { rs1: "weight: 3", rs2: "" }, timeout: 600 }));
    const { text } = await stack.pulumi("refresh", "--preview-only", "--diff");
    expect(text).toMatch(/~ weight: 3 => 0/);
    await stack.up("--refresh");
    expect(await table()).toContain("-r 192.168.10.11:80 -m -w 3\n");
    expect(await draining()).toBe("");
    // one to the other server, from a test before, ends when its server has heard of it
    await expect.poll(active, patience).toEqual(["192.168.10.11"]);
    expect(await answered()).toBe("");
  });

  it("of a persistent service waits for its templates too, which bring their clients back", async () => {
    await breakOff();
    const persistence = "{ timeout: 300 }";
    await stack.program(program({ servers: { rs1: "" }, timeout: 6, persistence }));
    await stack.up();
    expect(await ask(url, 2)).toEqual({ rs1: 2 });
    await stack.program(program({ servers: { rs1: "weight: 0", rs2: "" }, timeout: 6, persistence }));
    expect(await stack.up()).toMatch(/192\.168\.10\.11:80 of \S+ still has \d connections? after \d+ s/);
    const listed = (await run("director", "ipvsadm -Ln --persistent-conn")).stdout;
    expect(listed).toMatch(/-> 192\.168\.10\.11:80 +0 +[1-9]\d* +0 +\d+ *$/m);
    expect(await ask(url, 2)).toEqual({ rs1: 2 });
    const server = (await stack.resources()).find(({ urn }) => urn.endsWith("::rs1"));
    expect(server?.outputs.drained).toMatchObject({ clean: false, forced: expect.any(Number) });
  });

  it("where the kernel does not heed templates of quiesced servers moves remembered clients at once", async () => {
    const persistence = "{ timeout: 300 }";
    const scene = { timeout: 300, persistence, expire: "1" };
    await stack.program(program({ servers: { rs1: "weight: 2", rs2: "weight: 0" }, ...scene }));
    await stack.up();
    expect(await ask(url, 2)).toEqual({ rs1: 2 });
    await stack.program(program({ servers: { rs2: "" }, ...scene }));
    const text = await stack.up();
    expect(text).toMatch(/192\.168\.10\.11:80 of \S+ drained in [12]?\d?\d s/);
    expect(await ask(url, 4)).toEqual({ rs2: 4 });
  });

  it("holds up no destroy, because no client can come once the VIP is gone", async () => {
    await holdOne();
    const text = await stack.destroy();
    expect(text).not.toMatch(/drained in|cut off/);
    expect(differences(clean, await statesOf(["director", "rs1", "rs2"]))).toEqual([]);
    await breakOff();
  });
});
