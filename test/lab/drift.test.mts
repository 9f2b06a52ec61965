import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { lean, Stack } from "./stack.mts";

const hosts = ["director", "rs1", "rs2"] as const;

onLab("what was changed by hand", () => {
  const keep = disposing();
  let stack: Stack;
  let declared: States;

  it("is nothing at first", async () => {
    stack = keep(await Stack.ofEnvironment("lab-dr", { source: true }));
    await stack.up();
    declared = await statesOf(hosts);
    const { code, text } = await stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
    expect(text).toMatch(/15 unchanged/);
    expect(code).toBe(0);
    // with the SDK as it is they were made and read
    stack.environment(lean);
  });

  it("is shown property by property: a weight, a server, a VIP, a route, a sysctl", async () => {
    await run("director", "ipvsadm -e -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w 9");
    await run("director", "ipvsadm -d -t 192.168.0.210:80 -r 192.168.0.222:80");
    await run("director", "sysctl -qw net.ipv4.ip_forward=0");
    await run("rs1", "ip addr del 192.168.0.210/32 dev lo");
    await run("rs2", "sysctl -qw net.ipv4.conf.all.arp_ignore=0");
    const { code, text } = await stack.pulumi("refresh", "--preview-only", "--diff", "--expect-no-changes");
    expect(text).toMatch(/~ weight: 1 => 9/);
    expect(text).toMatch(/~ enabled: true => false/);
    expect(text).toMatch(/~ arpIgnore: 1 => 0/);
    // a server, a VIP and a route are gone, and the hosts still have their records
    expect(text.match(/\bgone\s*: true/g)).toHaveLength(3);
    expect(code).not.toBe(0);
  });

  it("is mended by one up with refresh", async () => {
    await stack.up("--refresh");
    expect(differences(declared, await statesOf(hosts))).toEqual([]);
    const { code } = await stack.pulumi("refresh", "--preview-only", "--expect-no-changes");
    expect(code).toBe(0);
  });

  it("is mended too when the table was flushed", async () => {
    await run("director", "ipvsadm -C");
    await stack.up("--refresh");
    expect(differences(declared, await statesOf(hosts))).toEqual([]);
  });

  it("does not stand in the way of destroy", async () => {
    await run("director", "ipvsadm -C; ip addr del 192.168.0.210/32 dev eth1");
    await run("rs1", "ip addr del 192.168.0.210/32 dev lo");
    await stack.destroy();
    expect(
      (await run("director", "ls /run/pulumi-lvs 2>&1; cat /proc/sys/net/ipv4/ip_forward; ip -br addr"))
        .stdout,
    ).toMatch(/No such file[\s\S]*^0$[\s\S]*eth1\s+UP\s+192\.168\.0\.200\/24 fe80/m);
  });
});
