import { expect, it } from "vitest";
import { type HostName, power, run, waitForSsh } from "../support/machines/lab.mts";
import { directors, holders, untilHeld } from "./holders.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { underLoad } from "./load.mts";
import { disposing, onLab, waitOn } from "./setup.mts";
import { Stack } from "./stack.mts";

const seconds = 300;

/**
 * What moves: an IPv4 and an IPv6 VIP with the gateway of the inside network, a VIP by version 2, one by unicast, and one
 * by advertisements in IPv6.
 */
const vip = "192.168.0.210";
const vip6 = "2001:db8::210";
const gateway = "192.168.10.1";
const stays = "192.168.0.211";
const other = "192.168.0.212";
const six = "2001:db8::213";

/**
 * Both directors check rs2, and schedule packets of connections that the other one began. The second one has the higher
 * priority for the last VIP.
 */
const program = `
const silence = new lvs.ArpSuppression("silence", { connection: { host: "rs2" } });
const onServer = new lvs.VirtualAddress("vip-rs2", { connection: { host: "rs2" }, interface: "lo", address: "${vip}" }, { dependsOn: silence });
for (const [i, host] of ["director", "rs1"].entries()) {
  const connection = { host };
  new lvs.Sysctl("sloppy-" + host, { connection, name: "net.ipv4.vs.sloppy_tcp", value: "1" });
  const web = new lvs.VirtualService("web-" + host, { connection, address: "${vip}", port: 80 }, { dependsOn: onServer });
  new lvs.RealServer("rs2-" + host, { connection, service: web.id, address: "192.168.0.222", port: 80 });
  new lvs.HealthMonitor("health-" + host, { connection, service: web.id, interval: 3, rise: 1, fall: 2, check: { type: "tcp" } }, { dependsOn: web });
  const common = { connection, interface: "eth1", priority: 150 - 50 * i };
  new lvs.VrrpInstance("vip-" + host, { ...common, routerId: 51, trackServices: [web.id], priorityDrop: 80,
    addresses: [{ address: "${vip}" }, { address: "${vip6}", prefixLength: 64 },
      { address: "${gateway}", prefixLength: 24, interface: "eth2" }] });
  new lvs.VrrpInstance("stays-" + host, { ...common, routerId: 52, version: 2, preempt: false, advertInterval: 5, addresses: [{ address: "${stays}" }] });
  new lvs.VrrpInstance("other-" + host, { ...common, routerId: 53, priority: 100 + 50 * i, garpRefresh: 2, addresses: [{ address: "${other}" }],
    source: ["192.168.0.200", "192.168.0.204"][i], peers: [["192.168.0.204", "192.168.0.200"][i]] });
  new lvs.VrrpInstance("six-" + host, { ...common, routerId: 54, trackInterfaces: ["eth2"], addresses: [{ address: "${six}", prefixLength: 64 }] });
}`;

/** Whom the client sends to: the MAC address that it has for each, once it has sent to them. */
const untilClientSendsTo = async (host: HostName, macs: ReadonlyMap<HostName, string>) => {
  for (const address of [vip, vip6])
    await waitOn(
      "client",
      `{ ping -c 1 -W 1 ${address} >/dev/null; ip neigh show to ${address} dev eth1 | grep -qF ${macs.get(host)}; }`,
      seconds,
    );
};

/** Has a host write down packets. Returns how it stops, with what it heard. */
const listening = async (host: HostName, packets: string): Promise<() => Promise<string>> => {
  await run(
    host,
    `nohup tcpdump -i eth1 -n -e -l '${packets}' >/tmp/news 2>/tmp/news.errors </dev/null & echo $! >/tmp/news.pid
n=0; until grep -q listening /tmp/news.errors; do n=$((n + 1)); [ $n -lt 3000 ] || exit 1; sleep 0.1; done`,
  );
  return async () => (await run(host, "kill $(cat /tmp/news.pid); sleep 0.5; cat /tmp/news")).stdout;
};

const announcements = "arp or (icmp6 and ip6[40] == 136)";

/** What all neighbours get from a host that says, unasked, that it has the address. */
const announcement = (mac: string | undefined, address: string): RegExp =>
  address.includes(":")
    ? new RegExp(`${mac} > 33:33:00:00:00:01, .* neighbor advertisement, tgt is ${address}`, "g")
    : new RegExp(
        `${mac} > ff:ff:ff:ff:ff:ff, .* (who-has ${address} (\\(\\S+ )?tell ${address}|Reply ${address} is-at)`,
        "g",
      );

onLab("two directors with VRRP", () => {
  const keep = disposing();
  const own = "/etc/keepalived/keepalived.conf";
  const macs = new Map<HostName, string>();
  let stack: Stack;
  let clean: States;
  let operators: string;

  it("are refused where keepalived has a configuration of the operator's, which stays as it is", async () => {
    // an entry of the table loads ip_vs and its scheduler, and they stay
    for (const host of directors)
      macs.set(host, (await run(host, "modprobe ip_vs_wlc; cat /sys/class/net/eth1/address")).stdout.trim());
    await run("client", "ip addr add 2001:db8::100/64 dev eth1 nodad");
    await run("rs1", "ip addr add 192.168.0.204/24 dev eth1");
    await run(
      "rs1",
      `printf 'global_defs {\\n enable_script_security\\n script_user root\\n}\\nvrrp_instance mine {\\n interface eth2\\n virtual_router_id 7\\n virtual_ipaddress { 192.168.10.99 }\\n}\\n' >${own}; systemctl start keepalived`,
    );
    await untilHeld("192.168.10.99", "rs1");
    operators = (await run("rs1", `cat ${own}`)).stdout;
    const before = await statesOf(["rs1"]);
    stack = keep(
      await Stack.ofProgram(`
      new lvs.VrrpInstance("vip", { connection: { host: "rs1" }, interface: "eth1", routerId: 51, addresses: [{ address: "${vip}" }] });`),
    );
    const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(text).toContain(
      `cannot create vrrp/eth1/51 on rs1: writing /etc/keepalived/pulumi-lvs.d/eth1-51.conf failed (exit code 97): ${own} does not include the files of pulumi-lvs; add this line to it: include /etc/keepalived/pulumi-lvs.d/*.conf`,
    );
    expect(differences(before, await statesOf(["rs1"]))).toEqual([]);
  });

  it("share the VIPs by priority, IPv4, IPv6 and the inside gateway together", async () => {
    operators = `${operators}include /etc/keepalived/pulumi-lvs.d/*.conf\n`;
    await run("rs1", `printf '%s\\n' 'include /etc/keepalived/pulumi-lvs.d/*.conf' >>${own}`);
    clean = await statesOf(directors);
    await stack.program(program);
    await stack.up();
    await untilHeld([vip, vip6, gateway], "director");
    await untilHeld(other, "rs1");
    await untilClientSendsTo("director", macs);
    expect((await run("rs1", `cat ${own}`)).stdout).toBe(operators);
    await untilHeld("192.168.10.99", "rs1");
  });

  it("announce an address again and again, if garpRefresh says so", async () => {
    const heard = await listening("client", announcements);
    // A new master sends two times five.
    const mac = macs.get("rs1");
    await waitOn(
      "client",
      `[ $(grep -c '${mac} > ff:ff:ff:ff:ff:ff, .*${other}' /tmp/news) -ge 12 ]`,
      seconds,
    );
    expect([...(await heard()).matchAll(announcement(mac, other))].length).toBeGreaterThanOrEqual(12);
  });

  it("advertise by the version, the source and the peers that are declared", async () => {
    const everyone = await listening("client", "ip proto 112 or ip6 proto 112");
    const director = await listening("director", "ip proto 112");
    for (const text of ["VRRPv3, .*vrid 51", "VRRPv2, .*vrid 52", "IPv6.*VRRPv3.*vrid 54"])
      await waitOn("client", `grep -q '${text}' /tmp/news`, seconds);
    await waitOn("director", `grep -q '192.168.0.204 > 192.168.0.200: .*VRRPv3.*vrid 53' /tmp/news`, seconds);
    await director();
    // by unicast
    expect(await everyone()).not.toContain("vrid 53");
  });

  it("leave an address where it is, if they do not preempt", async () => {
    // which of them had it first is chance
    await run("director", "systemctl stop keepalived");
    await untilHeld(stays, "rs1");
    await run("director", "systemctl start keepalived");
    await untilHeld(vip, "director");
    // longer than the director, which has the higher priority, would wait to preempt
    await run("director", "sleep 25");
    expect(await holders(stays)).toEqual(["rs1"]);
    await run("rs1", "systemctl stop keepalived");
    await untilHeld(stays, "director");
    await run("rs1", "systemctl start keepalived");
    await untilHeld(other, "rs1");
  });

  it("show who is the master, which is no drift", async () => {
    await stack.refresh();
    expect(await stack.up("--expect-no-changes")).toMatch(/unchanged/);
    const states = (await stack.resources())
      .filter(({ type }) => type.endsWith(":VrrpInstance"))
      .map(({ id, outputs }) => `${id} ${outputs.state}`);
    expect(states.sort()).toEqual([
      "director/vrrp/eth1/51 master",
      "director/vrrp/eth1/52 master",
      "director/vrrp/eth1/53 backup",
      "director/vrrp/eth1/54 master",
      "rs1/vrrp/eth1/51 backup",
      "rs1/vrrp/eth1/52 backup",
      "rs1/vrrp/eth1/53 master",
      "rs1/vrrp/eth1/54 backup",
    ]);
  });

  /** Runs `npx pulumi-lvs`, and returns what it printed. */
  const lvs = async (...args: string[]) => {
    const { code, text } = await stack.pulumiLvs([...args, "--stack", "program"]);
    expect(code, text).toBe(0);
    return text;
  };

  it("move the VIP on purpose and back, and no request fails", async () => {
    const load = await underLoad(
      vip,
      async () => {
        const heard = await listening("client", announcements);
        expect(await lvs("failover", "vip-director")).toMatch(
          /director +master +[1-9]\d* active[\s\S]*moved from director to rs1 in [\d.]+ s\n +director +backup .*\d+ active.*, held\n +rs1 +master +\d+ active/,
        );
        await untilHeld([vip, vip6, gateway], "rs1");
        const news = await heard();
        for (const address of [vip, vip6]) expect(news).toMatch(announcement(macs.get("rs1"), address));
        await untilClientSendsTo("rs1", macs);
        expect(await lvs("failover", "vip-rs1", "--back")).toMatch(/moved from rs1 to director/);
        await untilHeld([vip, vip6, gateway], "director");
      },
      { least: 500 },
    );
    expect(load.failures).toEqual([]);
    expect(load.latency?.most).toBeLessThan(4);
    expect(load.servers).toEqual({ rs2: load.requests });
  });

  it("move an address on purpose where no director preempts", async () => {
    await lvs("failover", "stays-director");
    await untilHeld(stays, "rs1");
    await lvs("failover", "stays-director", "--to", "director");
    await lvs("failover", "stays-director", "--back");
    await untilHeld(stays, "director");
    await stack.up("--expect-no-changes");
  });

  it("stay as they are where keepalived refuses the configuration", async () => {
    await run("rs1", `cp -p ${own} /tmp/own; echo nonsense >>${own}`);
    const before = await statesOf(["rs1"]);
    await stack.program(program.replaceAll("150 - 50 * i", "160 - 50 * i"));
    const { code, text } = await stack.pulumi("up", "--yes", "--skip-preview");
    expect(code).not.toBe(0);
    expect(text).toContain("nonsense");
    expect(differences(before, await statesOf(["rs1"]))).toEqual([]);
    await untilHeld([vip, vip6, gateway], "director");
    await run("rs1", `cp -p /tmp/own ${own}; rm /tmp/own`);
    await stack.program(program);
    await stack.up();
    await untilHeld(vip, "director");
  });

  it("move the VIP away from a director whose monitor sees no server", async () => {
    await run("rs2", "iptables -A INPUT -s 192.168.0.200 -p tcp --dport 80 -j DROP");
    await untilHeld([vip, vip6, gateway], "rs1");
    expect(await holders(stays)).toEqual(["director"]);
    await untilClientSendsTo("rs1", macs);
    await run("rs2", "iptables -F INPUT");
    await untilHeld([vip, vip6, gateway], "director");
    await untilClientSendsTo("director", macs);
  });

  it("take over in maintenance from one that loses its power, and give back only what is to be preempted", async () => {
    await lvs("maintenance", "rs1");
    await untilHeld(other, "director");
    await power("director", "off");
    await untilHeld([vip, vip6, gateway, stays], "rs1", ["rs1"]);
    await untilClientSendsTo("rs1", macs);
    await power("director", "on");
    await waitForSsh("director", seconds);
    await untilHeld([vip, vip6, gateway], "director");
    await untilClientSendsTo("director", macs);
    expect(await holders(stays)).toEqual(["rs1"]);
    await lvs("maintenance", "rs1", "--end");
    await untilHeld(other, "rs1");
    // the services were there before
    expect((await run("director", "ipvsadm -Sn")).stdout).toContain(`-A -t ${vip}:80`);
  });

  it("take over from one whose keepalived is stopped, and the next update starts it", async () => {
    await run("director", "systemctl stop keepalived");
    await untilHeld([vip, vip6, gateway, six], "rs1");
    await stack.up("--refresh");
    await untilHeld([vip, vip6, gateway, six], "director");
  });

  it("move by an interface that is only tracked", async () => {
    await run("director", "ip link set eth2 down");
    await untilHeld(six, "rs1");
    await run("director", "ip link set eth2 up");
    await untilHeld(six, "director");
  });

  it("go without a trace", async () => {
    await stack.destroy();
    expect((await run("rs1", `cat ${own}`)).stdout).toBe(operators);
    await untilHeld("192.168.10.99", "rs1");
    const { stdout } = await run(
      "director",
      "systemctl is-enabled keepalived; systemctl is-active keepalived",
      {
        allowFailure: true,
      },
    );
    expect(stdout).toBe("disabled\ninactive\n");
    expect(differences(clean, await statesOf(directors))).toEqual([]);
  });
});
