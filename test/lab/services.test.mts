import { expect, it } from "vitest";
import { schedulers } from "../../providers/virtual-service/schedulers.js";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

// this kernel has no ip_vs_twos, which came later
const here = schedulers.filter((name) => name !== "twos");

const program = `
const connection = { host: "director" };
const loaded = new lvs.KernelModule("ip-vs", { connection, name: "ip-vs", options: { conn_tab_bits: "9" } });
const opts = { dependsOn: loaded };
${JSON.stringify(here)}.forEach((scheduler, i) =>
  new lvs.VirtualService(scheduler, { connection, address: "192.168.0.210", port: 8001 + i, scheduler }, opts));
const services = [
  { protocol: "udp", address: "192.168.0.210", port: 53, scheduler: "rr" },
  { address: "192.168.0.210", port: 0, persistence: { timeout: 600 } },
  { address: "2001:DB8::0:210", port: 80, persistence: { netmask: 64 } },
  { fwmark: 10, persistence: { timeout: 60, netmask: 24 } },
  { fwmark: 10, family: "ipv6" },
  { fwmark: 2147483647, scheduler: "sh" },
];
services.forEach((args, i) => {
  const service = new lvs.VirtualService("service" + i, { connection, ...args }, opts);
  const ipv6 = i === 2 || i === 4;
  const own = args.port ?? 0;
  new lvs.RealServer("server" + i, { connection, service: service.id, address: ipv6 ? "2001:db8::11" : "192.168.10.11", port: own, weight: i });
});
new lvs.ArpSuppression("arp", { connection, interface: "eth2", all: false });
`;

onLab("every kind of service", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("is made as ipvsadm prints it", async () => {
    clean = await statesOf(["director"]);
    stack = keep(await Stack.ofProgram(program));
    await stack.up();
    const table = (await run("director", "ipvsadm -Sn")).stdout.split("\n");
    for (const [i, name] of here.entries())
      expect(table).toContain(`-A -t 192.168.0.210:${8001 + i} -s ${name}`);
    expect(table.filter((line) => !/:80\d\d /.test(line)).sort()).toEqual(
      [
        "",
        "-A -f 10 -6 -s wlc",
        "-A -f 10 -s wlc -p 60 -M 255.255.255.0",
        "-A -f 2147483647 -s sh",
        "-A -t 192.168.0.210:0 -s wlc -p 600",
        "-A -t [2001:db8::210]:80 -s wlc -p 300 -M 64",
        "-A -u 192.168.0.210:53 -s rr",
        "-a -f 10 -6 -r [2001:db8::11]:0 -g -w 4",
        "-a -f 10 -r 192.168.10.11:0 -g -w 3",
        "-a -f 2147483647 -r 192.168.10.11:0 -g -w 5",
        "-a -t 192.168.0.210:0 -r 192.168.10.11:0 -g -w 1",
        "-a -t [2001:db8::210]:80 -r [2001:db8::11]:80 -g -w 2",
        "-a -u 192.168.0.210:53 -r 192.168.10.11:53 -g -w 0",
      ].sort(),
    );
    const { stdout } = await run(
      "director",
      "cat /sys/module/ip_vs/parameters/conn_tab_bits; sysctl -n net.ipv4.conf.eth2.arp_ignore net.ipv4.conf.all.arp_ignore",
    );
    expect(stdout).toBe("9\n1\n0\n");
  });

  it("is found again just so", async () => {
    const { code, text } = await stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
    expect(code, text).toBe(0);
    await stack.up("--expect-no-changes");
  });

  it("is destroyed without trace, and the module unloaded", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
  });
});
