import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { answered, hold, letGo } from "./held.mts";
import { differences, type States, statesOf, tableOf } from "./host-state.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const program = (server: string, service = 'scheduler: "wlc"', vip = "192.168.0.210") => `
const connection = { host: "director" };
const vip = new lvs.VirtualAddress("vip", { connection, interface: "eth1", address: "192.168.0.210" });
new lvs.IpForwarding("forwarding", { connection });
const web = new lvs.VirtualService("web", { connection, address: "${vip}", port: 80, ${service} }, { dependsOn: vip });
new lvs.RealServer("rs1", { connection, service: web.id, address: "192.168.10.11", ${server} });
const back = { connection: { host: "rs1" }, destination: "192.168.0.100", via: "192.168.10.10" };
new lvs.HostRoute("back", back);
`;

const nat = (weight: number) => `port: 80, forwarding: "masquerading", weight: ${weight}`;

const table = () => tableOf("director");

/** Active connections of the real server that the director counts. */
const active = async () =>
  Number(/192\.168\.10\.11:\d+\s+\w+\s+\d+\s+(\d+)/.exec((await run("director", "ipvsadm -Ln")).stdout)?.[1]);

onLab("changes", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("start from a cluster with another owner's things beside it", async () => {
    await run(
      "director",
      "ipvsadm -A -t 10.9.9.9:443 -s sh; ipvsadm -a -t 10.9.9.9:443 -r 192.168.10.12:443 -m -w 7",
    );
    await run("director", "ip addr add 10.9.9.9/32 dev eth2; ip route add 10.8.0.0/16 via 192.168.10.12");
    await run("director", "iptables -A INPUT -s 10.9.9.8 -j DROP; sysctl -qw net.ipv4.ip_forward=1");
    clean = await statesOf(["director", "rs1"]);
    stack = keep(await Stack.ofProgram(program(nat(1))));
    await stack.up();
    expect(await table()).toContain("-a -t 192.168.0.210:80 -r 192.168.10.11:80 -m -w 1\n");
  });

  it("of a weight are shown as such, made in place, and keep connections", async () => {
    await hold("192.168.0.210");
    await expect.poll(active, patience).toBe(1);
    await stack.program(program(nat(3)));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/^\s+~ weight: 1 => 3$/m);
    expect(text).not.toMatch(/[-+]-?[-+] .*RealServer|scheduler:/);
    await stack.up();
    expect(await table()).toContain("-r 192.168.10.11:80 -m -w 3\n");
    expect(await active()).toBe(1);
  });

  it("of a scheduler too", async () => {
    await stack.program(program(nat(3), 'scheduler: "wrr", persistence: { timeout: 60, netmask: 24 }'));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/~ scheduler\s*: "wlc" => "wrr"/);
    await stack.up();
    expect(await table()).toContain("-A -t 192.168.0.210:80 -s wrr -p 60 -M 255.255.255.0\n");
    expect(await active()).toBe(1);
  });

  it("of the way of forwarding too", async () => {
    await stack.program(program('port: 80, forwarding: "gatewaying", weight: 3', 'scheduler: "wrr"'));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/~ forwarding: "masquerading" => "gatewaying"/);
    await stack.up();
    expect(await table()).toContain(
      "-A -t 192.168.0.210:80 -s wrr\n-a -t 192.168.0.210:80 -r 192.168.10.11:80 -g -w 3\n",
    );
    // the old connection goes on by the old way until its end
    await letGo();
    await expect.poll(answered, patience).toMatch(/200 OK[\s\S]*rs1/);
  });

  it("of a port replace, the new one before the old one goes", async () => {
    await stack.program(program('port: 8080, forwarding: "masquerading"', 'scheduler: "wrr"'));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/~ port\s*: 80 => 8080/);
    expect(text).toMatch(/\+-.*RealServer|RealServer.*replace/);
    const up = await stack.up();
    expect(up.indexOf("created replacement")).toBeLessThan(up.indexOf("deleted original"));
    expect(await table()).toMatch(/-r 192\.168\.10\.11:8080 -m -w 1\n/);
    expect(await table()).not.toMatch(/11:80 /);
  });

  it("of a service's address replace it and what stands behind it", async () => {
    await stack.program(program(nat(1), 'scheduler: "wrr"', "192.168.0.211"));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/~ address\s*: "192\.168\.0\.210" => "192\.168\.0\.211"/);
    await stack.up();
    expect(await table()).toContain(
      "-A -t 192.168.0.211:80 -s wrr\n-a -t 192.168.0.211:80 -r 192.168.10.11:80 -m -w 1\n",
    );
    expect(await table()).not.toContain("192.168.0.210");
  });

  it("are all removed by destroy, and what is another owner's is as it was", async () => {
    await stack.destroy();
    // ip_vs was there before, so it stays, and with it the schedulers that the kernel loaded into it on demand.
    // The route of the changed forwarding goes some seconds after its server.
    await expect
      .poll(async () => differences(clean, await statesOf(["director", "rs1"])), patience)
      .toEqual(["director modules: + ip_vs_wlc", "director modules: + ip_vs_wrr"]);
    expect(await table()).toBe("-A -t 10.9.9.9:443 -s sh\n-a -t 10.9.9.9:443 -r 192.168.10.12:443 -m -w 7\n");
  });
});
