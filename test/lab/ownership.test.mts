import { expect, it } from "vitest";
import { until } from "../support/machines/command.mts";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const service = (options = "") => `
const connection = { host: "director" };
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80, scheduler: "rr", ${options} });
new lvs.RealServer("web-1", { connection, service: web.id, address: "192.168.10.11", port: 80, ${options} });
`;

const table = async () => (await run("director", "ipvsadm -Sn")).stdout.trim().split("\n");
const owners = async () =>
  (await run("director", `awk -F '\\t' '{ print $4, $3 }' /etc/pulumi-lvs/boot`)).stdout.trim().split("\n");
const entries = ["-A -t 192.168.0.210:80 -s rr", "-a -t 192.168.0.210:80 -r 192.168.10.11:80 -g -w 1"];

/** The one line that says why `up` failed. */
async function refusal(stack: Stack): Promise<string> {
  const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
  expect(code, text).not.toBe(0);
  return text.split("\n").find((line) => /^\s*error: (?!update failed)/.test(line)) ?? text;
}

onLab("whose things are", () => {
  const keep = disposing();
  let shop: Stack;
  let blog: Stack;
  let clean: States;

  it("is written on the host, in lines that people can read", async () => {
    await run("director", "modprobe -a ip_vs ip_vs_rr");
    clean = await statesOf(["director"]);
    shop = keep(await Stack.ofProgram(service(), {}, "shop"));
    await shop.up();
    expect(await owners()).toEqual([
      "test/shop/web VirtualService tcp://192.168.0.210:80",
      "test/shop/web-1 RealServer tcp://192.168.0.210:80/192.168.10.11:80",
    ]);
  });

  it("is told to a second stack that declares the same, and nothing is changed", async () => {
    blog = keep(await Stack.ofProgram(service(), {}, "blog"));
    expect(await refusal(blog)).toMatch(
      /cannot create tcp:\/\/192\.168\.0\.210:80 on director: it belongs to test\/shop\/web, of another stack; remove it there, or set adopt: true to take it over/,
    );
    expect(await table()).toEqual(entries);
  });

  it("does not matter to `get`, which reads without owning", async () => {
    const reader = keep(
      await Stack.ofProgram(
        `const web = lvs.VirtualService.get("web", { connection: { host: "director" }, address: "192.168.0.210", port: 80 });
         const server = lvs.RealServer.get("web-1", { connection: { host: "director" }, service: "tcp://192.168.0.210:80", address: "192.168.10.11", port: 80 });
         module.exports = { scheduler: web.scheduler, weight: server.weight };`,
        {},
        "reader",
      ),
    );
    const text = await reader.up();
    expect(text).toMatch(/scheduler\s*: "rr"/);
    expect(text).toMatch(/weight\s*: 1/);
    await reader.destroy();
    expect(await table()).toEqual(entries);
  });

  it("is handed over by adopt: true, and the old stack's destroy leaves it alone", async () => {
    await blog.program(service("adopt: true"));
    await blog.up();
    expect(await table()).toEqual(entries);
    expect((await owners()).every((line) => line.startsWith("test/blog/"))).toBe(true);
    await shop.destroy();
    expect(await table()).toEqual(entries);
  });

  it("goes with it", async () => {
    await blog.destroy();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
  });
});

onLab("a keepalived on the director", () => {
  const keep = disposing();

  const start = async (virtualServer: string) => {
    const vrrp =
      "vrrp_instance lab {\\n interface eth2\\n virtual_router_id 7\\n virtual_ipaddress { 192.168.10.99 }\\n}\\n";
    await run(
      "director",
      `printf '${vrrp}${virtualServer}' >/etc/keepalived/keepalived.conf; systemctl restart keepalived`,
    );
    await until("keepalived's own address", 60, async () =>
      (await run("director", "ip -o addr show dev eth2")).stdout.includes("192.168.10.99") ? true : undefined,
    );
  };
  const cluster = `new lvs.DrCluster("web", { director: { connection: { host: "director" }, interface: "eth1" },
    vips: ["192.168.0.210"], services: [{ port: 80 }], realServers: [{ address: "192.168.0.221" }] });`;

  it("keeps the package from the table, before anything is written, if it has virtual servers", async () => {
    await start(
      "virtual_server 192.168.10.99 81 {\\n protocol TCP\\n real_server 192.168.10.11 81 {\\n }\\n}\\n",
    );
    const clean = await statesOf(["director"]);
    const stack = keep(await Stack.ofProgram(cluster));
    expect(await refusal(stack)).toMatch(
      /cannot create module\/ip_vs on director: keepalived runs there and manages the IPVS table; stop it there \(systemctl disable --now keepalived\), or set alongside: \["keepalived"\]/,
    );
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
  });

  it("is none that manages the table, if it does VRRP only", async () => {
    await start("");
    const clean = await statesOf(["director"]);
    const stack = keep(await Stack.ofProgram(cluster));
    await stack.up();
    expect(await table()).toEqual([
      "-A -t 192.168.0.210:80 -s wlc",
      "-a -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w 1",
    ]);
    await stack.destroy();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
  });
});
