import { describe, expect, test } from "vitest";
import { DeclaredFacts } from "../../../cli/plan/declared-facts.js";
import { type PlannedChange, planOf } from "../../../cli/plan/plan.js";
import { asJson, asMarkdown, asText } from "../../../cli/plan/text.js";
import { Facts } from "../../../src/facts/facts.js";
import { declared, type Goal } from "../../faults/harness/program.js";
import { makeAll } from "../../support/fake/cluster-program.js";
import { fakeHost } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeStack } from "../../support/fake/preview.js";

type Clusters = Parameters<typeof makeAll>[0];

const program = (clusters: object): Promise<Goal[]> => declared(() => void makeAll(clusters as Clusters));

const server = (name: string, last: number, more: object = {}) => ({
  ...{ name, address: `192.168.10.${last}`, connection: { host: name } },
  ...more,
});

const dr = (more: object = {}) => ({
  dr: {
    kind: "dr",
    director: { connection: { host: "director" }, interface: "eth0" },
    vips: [{ address: "192.168.10.210" }],
    services: [{ protocol: "tcp", port: 80, scheduler: "wlc" }],
    realServers: [server("rs1", 11, { weight: 1 }), server("rs2", 12, { weight: 2 })],
    ipForwarding: true,
    ...more,
  },
});

const nat = (more: object = {}) => ({
  nat: {
    kind: "nat",
    director: {
      connection: { host: "director" },
      ...{ interface: "eth0", insideInterface: "eth1", dip: "192.168.10.10" },
    },
    vips: [{ address: "192.168.0.219", prefixLength: 24 }],
    services: [{ protocol: "tcp", port: 80, scheduler: "rr" }],
    realServers: [server("rs1", 11), server("rs2", 12)],
    returnRoutes: ["192.168.0.100"],
    ...more,
  },
});

const hosts = (): Map<string, FakeHost> =>
  new Map(
    ["director", "rs1", "rs2"].map((label) => {
      const fake = fakeHost({ label });
      // What is loaded already is the host's, and a plan cannot know it.
      return [label, label === "director" ? fake.withModules() : fake];
    }),
  );

/** Commands of a plan by host, as tools on hosts note them. */
function commands(changes: readonly PlannedChange[], labels: Iterable<string>): Map<string, string[]> {
  const tool = /^(ipvsadm|ip|modprobe|rmmod|arping) /;
  return new Map(
    [...labels].map((label) => [
      label,
      changes
        .filter(({ host }) => host === label)
        .flatMap(({ lines }) => lines.map(({ text }) => text))
        .filter((text) => tool.test(text) && !/^modprobe --show|^ipvsadm -L/.test(text)),
    ]),
  );
}

/** Commands that hosts ran, without those that only tell neighbours again, and modules that the kernel loads along. */
const ran = (log: ReadonlyMap<string, string[]>): Map<string, string[]> =>
  new Map(
    [...log].map(([label, lines]) => [
      label,
      lines.filter((line) => !/^arping -q -A|^arping -b|^modprobe -q |^rmmod (?!ip_vs$)/.test(line)),
    ]),
  );

/** Plans and runs each program after the other, and compares the lines. */
async function compare(programs: readonly object[]): Promise<PlannedChange[][]> {
  const fakes = hosts();
  const stack = new FakeStack(fakes);
  const plans: PlannedChange[][] = [];
  for (const one of programs) {
    const steps = stack.preview(await program(one));
    const plan = await planOf({ steps, before: stack.entries });
    const log = await stack.up(steps);
    expect(plan.filter(({ refused }) => refused)).toEqual([]);
    expect(commands(plan, fakes.keys())).toEqual(ran(log));
    plans.push(plan);
  }
  return plans;
}

describe("pulumi-lvs plan", () => {
  test("has the lines of a pool one by one, and none for servers that become a pool and back", async () => {
    const pooled = (weight: number) =>
      dr({ pool: true, realServers: [server("rs1", 11, { weight }), server("rs2", 12, { weight: 2 })] });
    const lines = (await compare([dr(), pooled(1), pooled(3), dr(), pooled(1), {}])).map((plan) =>
      plan
        .filter(({ host }) => host === "director")
        .flatMap(({ lines }) => lines.map(({ text }) => text))
        .filter((text) => text.startsWith("ipvsadm")),
    );
    const change = (weight: number) => `ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w ${weight}`;
    expect(lines.slice(1, 5)).toEqual([[], [change(3)], [change(1)], []]);
  });

  test("has the lines that the hosts of a DR stack run: create, change, replace, delete", async () => {
    const servers = [server("rs1", 11, { weight: 3 }), server("rs2", 12, { weight: 2 })];
    const services = [{ protocol: "tcp", port: 8080, scheduler: "wlc" }];
    const [first = [], second = []] = await compare([
      dr(),
      dr({ realServers: servers, services: [{ protocol: "tcp", port: 80, scheduler: "rr" }] }),
      dr({ realServers: servers, services }),
      dr({ realServers: servers.slice(0, 1), services }),
      {},
    ]);
    expect(asText(first)).toMatchInlineSnapshot(`
      "rs1: 6 lines, rs2: 6 lines, director: 8 lines

      rs1
        create ArpSuppression dr-rs1-arp
          writing 1 to /proc/sys/net/ipv4/conf/all/arp_ignore
            undo: restoring the value of /proc/sys/net/ipv4/conf/all/arp_ignore
            not known: the value that the host has now; with the right one the line is not run
          writing 2 to /proc/sys/net/ipv4/conf/all/arp_announce
            undo: restoring the value of /proc/sys/net/ipv4/conf/all/arp_announce
            not known: the value that the host has now; with the right one the line is not run
          writing 1 to /proc/sys/net/ipv4/conf/lo/arp_ignore
            undo: restoring the value of /proc/sys/net/ipv4/conf/lo/arp_ignore
            not known: the value that the host has now; with the right one the line is not run
          writing 2 to /proc/sys/net/ipv4/conf/lo/arp_announce
            undo: restoring the value of /proc/sys/net/ipv4/conf/lo/arp_announce
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; saving the value of /proc/sys/net/ipv4/conf/all/arp_ignore in /run/pulumi-lvs/sysctl.net.ipv4.conf.all.arp_ignore/found; saving the value of /proc/sys/net/ipv4/conf/all/arp_announce in /run/pulumi-lvs/sysctl.net.ipv4.conf.all.arp_announce/found; saving the value of /proc/sys/net/ipv4/conf/lo/arp_ignore in /run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_ignore/found; saving the value of /proc/sys/net/ipv4/conf/lo/arp_announce in /run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_announce/found
        create VirtualAddress dr-rs1-vip-192.168.10.210
          ip addr add 192.168.10.210/32 dev lo label lo:0
            undo: ip addr del 192.168.10.210/32 dev lo
          records: writing /etc/pulumi-lvs/boot
        create HostRoute dr-rs1-vip-192.168.10.210-route
          ip -4 route add 192.168.10.210/32 dev lo src 192.168.10.210 table main
            undo: ip -4 route del 192.168.10.210/32 dev lo src 192.168.10.210 table main
          records: writing /etc/pulumi-lvs/boot

      rs2
        create ArpSuppression dr-rs2-arp
          writing 1 to /proc/sys/net/ipv4/conf/all/arp_ignore
            undo: restoring the value of /proc/sys/net/ipv4/conf/all/arp_ignore
            not known: the value that the host has now; with the right one the line is not run
          writing 2 to /proc/sys/net/ipv4/conf/all/arp_announce
            undo: restoring the value of /proc/sys/net/ipv4/conf/all/arp_announce
            not known: the value that the host has now; with the right one the line is not run
          writing 1 to /proc/sys/net/ipv4/conf/lo/arp_ignore
            undo: restoring the value of /proc/sys/net/ipv4/conf/lo/arp_ignore
            not known: the value that the host has now; with the right one the line is not run
          writing 2 to /proc/sys/net/ipv4/conf/lo/arp_announce
            undo: restoring the value of /proc/sys/net/ipv4/conf/lo/arp_announce
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; saving the value of /proc/sys/net/ipv4/conf/all/arp_ignore in /run/pulumi-lvs/sysctl.net.ipv4.conf.all.arp_ignore/found; saving the value of /proc/sys/net/ipv4/conf/all/arp_announce in /run/pulumi-lvs/sysctl.net.ipv4.conf.all.arp_announce/found; saving the value of /proc/sys/net/ipv4/conf/lo/arp_ignore in /run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_ignore/found; saving the value of /proc/sys/net/ipv4/conf/lo/arp_announce in /run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_announce/found
        create VirtualAddress dr-rs2-vip-192.168.10.210
          ip addr add 192.168.10.210/32 dev lo label lo:0
            undo: ip addr del 192.168.10.210/32 dev lo
          records: writing /etc/pulumi-lvs/boot
        create HostRoute dr-rs2-vip-192.168.10.210-route
          ip -4 route add 192.168.10.210/32 dev lo src 192.168.10.210 table main
            undo: ip -4 route del 192.168.10.210/32 dev lo src 192.168.10.210 table main
          records: writing /etc/pulumi-lvs/boot

      director
        create KernelModule dr-ip-vs
          modprobe ip_vs
            undo: rmmod ip_vs
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; modprobe --show-depends ip_vs
        create IpForwarding dr-forwarding
          writing 1 to /proc/sys/net/ipv4/ip_forward
            undo: restoring the value of /proc/sys/net/ipv4/ip_forward
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; saving the values of /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects in /run/pulumi-lvs/dragged.net.ipv4.ip_forward/found; saving the value of /proc/sys/net/ipv4/ip_forward in /run/pulumi-lvs/sysctl.net.ipv4.ip_forward/found
        create VirtualService dr-tcp-192.168.10.210-80
          ipvsadm -A -t 192.168.10.210:80 -s wlc
            undo: ipvsadm -D -t 192.168.10.210:80
          records: writing /etc/pulumi-lvs/boot
        create RealServer dr-tcp-192.168.10.210-80-rs1
          ipvsadm -a -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 1
            undo: ipvsadm -d -t 192.168.10.210:80 -r 192.168.10.11:80
          records: writing /etc/pulumi-lvs/boot
        create RealServer dr-tcp-192.168.10.210-80-rs2
          ipvsadm -a -t 192.168.10.210:80 -r 192.168.10.12:80 -g -w 2
            undo: ipvsadm -d -t 192.168.10.210:80 -r 192.168.10.12:80
          records: writing /etc/pulumi-lvs/boot
        create VirtualAddress dr-vip-192.168.10.210
          ip addr add 192.168.10.210/32 dev eth0
            undo: ip addr del 192.168.10.210/32 dev eth0
          arping -q -U -c 1 -I eth0 192.168.10.210
            not known: whether the interface does ARP; without it the line is not run
          records: writing /etc/pulumi-lvs/boot
        create HostRoute dr-vip-route-192.168.10.210
          ip -4 route add 192.168.10.210/32 dev eth0 src 192.168.10.210 table main
            undo: ip -4 route del 192.168.10.210/32 dev eth0 src 192.168.10.210 table main
          records: writing /etc/pulumi-lvs/boot

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
    expect(asText(second)).toMatchInlineSnapshot(`
      "director: 2 lines

      director
        update VirtualService dr-tcp-192.168.10.210-80
          ipvsadm -E -t 192.168.10.210:80 -s rr
            undo: ipvsadm -E -t 192.168.10.210:80 -s wlc
          records: writing /etc/pulumi-lvs/boot; removing lines from /etc/pulumi-lvs/boot
        update RealServer dr-tcp-192.168.10.210-80-rs1
          ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 3
            undo: ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 1
          records: writing /etc/pulumi-lvs/boot; removing lines from /etc/pulumi-lvs/boot

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
  });

  test("has the lines that the hosts of a NAT stack run: create, change, replace, delete", async () => {
    const servers = [server("rs1", 11), server("rs2", 12, { weight: 5 })];
    const health = { check: { type: "tcp" } };
    const [first = []] = await compare([
      nat(),
      nat({ realServers: servers, services: [{ protocol: "tcp", port: 80, scheduler: "rr", health }] }),
      nat({ realServers: servers, services: [{ protocol: "udp", port: 53, scheduler: "rr" }] }),
      nat({ vips: [{ address: "192.168.0.219", prefixLength: 32 }], returnRoutes: [] }),
      {},
    ]);
    expect(asText(first)).toMatchInlineSnapshot(`
      "director: 10 lines, rs1: 1 line, rs2: 1 line

      director
        create KernelModule nat-ip-vs
          modprobe ip_vs
            undo: rmmod ip_vs
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; modprobe --show-depends ip_vs
        create IpForwarding nat-forwarding
          writing 1 to /proc/sys/net/ipv4/ip_forward
            undo: restoring the value of /proc/sys/net/ipv4/ip_forward
            not known: the value that the host has now; with the right one the line is not run
          writing 0 to /proc/sys/net/ipv4/conf/all/send_redirects
            undo: restoring the value of /proc/sys/net/ipv4/conf/all/send_redirects
            not known: the value that the host has now; with the right one the line is not run
          writing 0 to /proc/sys/net/ipv4/conf/eth0/send_redirects
            undo: restoring the value of /proc/sys/net/ipv4/conf/eth0/send_redirects
            not known: the value that the host has now; with the right one the line is not run
          writing 0 to /proc/sys/net/ipv4/conf/eth1/send_redirects
            undo: restoring the value of /proc/sys/net/ipv4/conf/eth1/send_redirects
            not known: the value that the host has now; with the right one the line is not run
          records: writing /etc/pulumi-lvs/boot; saving the values of /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects in /run/pulumi-lvs/dragged.net.ipv4.ip_forward/found; saving the value of /proc/sys/net/ipv4/ip_forward in /run/pulumi-lvs/sysctl.net.ipv4.ip_forward/found; saving the value of /proc/sys/net/ipv4/conf/all/send_redirects in /run/pulumi-lvs/sysctl.net.ipv4.conf.all.send_redirects/found; saving the value of /proc/sys/net/ipv4/conf/eth0/send_redirects in /run/pulumi-lvs/sysctl.net.ipv4.conf.eth0.send_redirects/found; saving the value of /proc/sys/net/ipv4/conf/eth1/send_redirects in /run/pulumi-lvs/sysctl.net.ipv4.conf.eth1.send_redirects/found
        create VirtualService nat-tcp-192.168.0.219-80
          ipvsadm -A -t 192.168.0.219:80 -s rr
            undo: ipvsadm -D -t 192.168.0.219:80
          records: writing /etc/pulumi-lvs/boot
        create RealServer nat-tcp-192.168.0.219-80-rs1
          ipvsadm -a -t 192.168.0.219:80 -r 192.168.10.11:80 -m -w 1
            undo: ipvsadm -d -t 192.168.0.219:80 -r 192.168.10.11:80
          records: writing /etc/pulumi-lvs/boot
        create RealServer nat-tcp-192.168.0.219-80-rs2
          ipvsadm -a -t 192.168.0.219:80 -r 192.168.10.12:80 -m -w 1
            undo: ipvsadm -d -t 192.168.0.219:80 -r 192.168.10.12:80
          records: writing /etc/pulumi-lvs/boot
        create VirtualAddress nat-vip-192.168.0.219
          ip addr add 192.168.0.219/24 dev eth0
            undo: ip addr del 192.168.0.219/24 dev eth0
          arping -q -U -c 1 -I eth0 192.168.0.219
            not known: whether the interface does ARP; without it the line is not run
          records: writing /etc/pulumi-lvs/boot

      rs1
        create HostRoute nat-rs1-route-192.168.0.100
          ip -4 route add 192.168.0.100/32 via 192.168.10.10 table main
            undo: ip -4 route del 192.168.0.100/32 via 192.168.10.10 table main
          records: writing /etc/pulumi-lvs/boot

      rs2
        create HostRoute nat-rs2-route-192.168.0.100
          ip -4 route add 192.168.0.100/32 via 192.168.10.10 table main
            undo: ip -4 route del 192.168.0.100/32 via 192.168.10.10 table main
          records: writing /etc/pulumi-lvs/boot

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
  });

  test("says which servers drain and how long at most, and what goes along if it is undone", async () => {
    const drain = { timeout: 30, minimum: 1 };
    const servers = [server("rs1", 11, { weight: 1 }), server("rs2", 12, { weight: 2 })];
    const [, second = [], third = []] = await compare([
      dr({ drain }),
      dr({ drain, realServers: [servers[0], server("rs2", 12, { weight: 0 })] }),
      dr({ drain, realServers: [servers[1]] }),
    ]);
    expect(asText(second)).toMatchInlineSnapshot(`
      "director: 1 line; 1 member drains up to 30 s

      director
        update RealServer dr-tcp-192.168.10.210-80-rs2
          drains up to 30 s
          ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.12:80 -g -w 0
            undo: ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.12:80 -g -w 2
          records: writing /etc/pulumi-lvs/boot; removing lines from /etc/pulumi-lvs/boot; writing /run/pulumi-lvs/draining; writing /run/pulumi-lvs/drained

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
    expect(asMarkdown(third)).toMatchInlineSnapshot(`
      "**director: 3 lines, rs1: 6 lines; 1 member drains up to 30 s**

      <details>
      <summary>director: 3 lines</summary>

      \`\`\`text
      update RealServer dr-tcp-192.168.10.210-80-rs2
        ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.12:80 -g -w 2
          undo: ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.12:80 -g -w 0
        records: writing /etc/pulumi-lvs/boot; removing lines from /etc/pulumi-lvs/boot
      delete RealServer dr-tcp-192.168.10.210-80-rs1
        drains up to 30 s
        ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 0
          undo: ipvsadm -e -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 1
        ipvsadm -d -t 192.168.10.210:80 -r 192.168.10.11:80
          undo: ipvsadm -a -t 192.168.10.210:80 -r 192.168.10.11:80 -g -w 0
        records: writing /run/pulumi-lvs/draining; removing lines from /etc/pulumi-lvs/boot; writing /run/pulumi-lvs/drained
      \`\`\`

      </details>

      <details>
      <summary>rs1: 6 lines</summary>

      \`\`\`text
      delete HostRoute dr-rs1-vip-192.168.10.210-route
        ip -4 route del 192.168.10.210/32 dev lo src 192.168.10.210 table main
          undo: ip -4 route add 192.168.10.210/32 dev lo src 192.168.10.210 table main
        records: removing lines from /etc/pulumi-lvs/boot
      delete VirtualAddress dr-rs1-vip-192.168.10.210
        ip addr del 192.168.10.210/32 dev lo
          undo: ip addr add 192.168.10.210/32 dev lo label lo:0
        records: removing lines from /etc/pulumi-lvs/boot
      delete ArpSuppression dr-rs1-arp
        restoring the value of /proc/sys/net/ipv4/conf/all/arp_ignore
          undo: writing 1 to /proc/sys/net/ipv4/conf/all/arp_ignore
        restoring the value of /proc/sys/net/ipv4/conf/all/arp_announce
          undo: writing 2 to /proc/sys/net/ipv4/conf/all/arp_announce
        restoring the value of /proc/sys/net/ipv4/conf/lo/arp_ignore
          undo: writing 1 to /proc/sys/net/ipv4/conf/lo/arp_ignore
        restoring the value of /proc/sys/net/ipv4/conf/lo/arp_announce
          undo: writing 2 to /proc/sys/net/ipv4/conf/lo/arp_announce
        records: removing lines from /etc/pulumi-lvs/boot
      \`\`\`

      </details>

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
  });

  test("marks what it cannot know", async () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const step = (name: string, inputs: object) => ({
      op: "create",
      urn: `urn:pulumi:s::p::pulumi-nodejs:dynamic/lvs:VirtualService::${name}`,
      newState: {
        urn: name,
        type: "pulumi-nodejs:dynamic/lvs:VirtualService",
        inputs: {
          owner: `p/s/${name}`,
          protocol: "tcp",
          port: 80,
          scheduler: "rr",
          persistence: null,
          ...inputs,
        },
      },
    });
    const plan = await planOf({
      steps: [
        step("one", { connection: { host: "director" }, address: unknown }),
        step("two", { connection: { host: unknown }, address: "192.168.0.1" }),
        step("three", { connection: { host: "`</summary>` <b>" }, address: "192.168.0.1" }),
      ],
      before: [],
    });
    expect(asText(plan)).toMatchInlineSnapshot(`
      "director: 0 lines, host not known before the update: 0 lines, \`</summary>\` <b>: 1 line; the lines of 2 resources are not known yet

      director
        create VirtualService one
          not known before the update: address

      host not known before the update
        create VirtualService two
          not known before the update: connection

      \`</summary>\` <b>
        create VirtualService three
          ipvsadm -A -t 192.168.0.1:80 -s rr
            undo: ipvsadm -D -t 192.168.0.1:80
          records: writing /etc/pulumi-lvs/boot

      No host was read. A thing that is there already as declared needs no line. Lines of resources that do not depend on each other may change places."
    `);
    expect(JSON.parse(asJson(plan)).changes[0]).toMatchObject({ unknown: ["address"], lines: [] });
    expect(asMarkdown(plan)).not.toMatch(/<b>|`<\/summary>/);
    expect(asText(await planOf({ steps: [], before: [] }))).toBe("no host changes");
  });

  test("answers each question about a host by what is declared", () => {
    const questions = Object.getOwnPropertyNames(Facts.prototype);
    expect(questions.filter((name) => !Object.hasOwn(DeclaredFacts.prototype, name))).toEqual([]);
  });
});
