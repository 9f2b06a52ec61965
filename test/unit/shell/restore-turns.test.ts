import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { restoreTurns, turnRanks } from "../../../src/shell/restore.js";
import { awks, titled } from "../../support/fake/shells.js";

const line = (rank: number, thing: string, ...words: string[]) =>
  [
    rank,
    rank < 50 ? "setting" : "object",
    thing,
    `shop/prod/web${rank < 50 ? ` ${thing}` : ""}`,
    ...words,
  ].join("\t");
const service = (id: string) => line(50, `VirtualService ${id}`, "service", "-s", "wlc");
const server = (id: string) => line(60, `RealServer ${id}`, "server", "-w", "1");
const address = (id: string) => line(80, `VirtualAddress ${id}`, "address", "-");
const silence = line(20, "ArpSuppression arp-suppression/lo", "sysctl", "net.ipv4.conf.all.arp_ignore", "1");

const tcp4 = service("tcp://192.168.0.219:80");
const tcp6 = service("tcp://[2001:db8::219]:80");
const mark = service("fwmark://10");
const mark6 = service("fwmark://10/ipv6");

const shared = (stack: string, id: string) => `80\tsetting\tVirtualAddress ${id}\t${stack}/vip\taddress\t-`;

describe.each(titled(awks))("by %s", (_, [program = "", ...args]) => {
  /** What each of these waits for, or that it goes. */
  const turns = (missing: string[], others: string[], overdue = "") =>
    execFileSync(
      program,
      [
        ...args,
        ...Object.entries({ overdue, ...turnRanks }).flatMap(([name, value]) => ["-v", `${name}=${value}`]),
        restoreTurns,
      ],
      {
        input: [...missing, "--", ...missing, ...others, ""].join("\n"),
        encoding: "utf8",
      },
    )
      .split("\n")
      .filter(Boolean)
      .map((text) => {
        const [what, ...words] = text.split("\t");
        return what === "wait" ? words.join(" < ") : words[2];
      });

  test.each([
    [
      "goes where nothing is missing",
      [],
      [tcp4, address("eth0/192.168.0.219")],
      ["VirtualAddress eth0/192.168.0.219"],
    ],
    [
      "waits for its own service, also an IPv6 one",
      [tcp6],
      [tcp4, address("eth0/192.168.0.219"), address("eth0/2001:db8::219")],
      [
        "VirtualAddress eth0/192.168.0.219",
        "VirtualAddress eth0/2001:db8::219 < VirtualService tcp://[2001:db8::219]:80",
      ],
    ],
    [
      "waits for a server behind its service",
      [server("tcp://[2001:db8::219]:80/[2001:db8::11]:80")],
      [tcp6, address("eth0.100/2001:db8::219")],
      ["VirtualAddress eth0.100/2001:db8::219 < RealServer tcp://[2001:db8::219]:80/[2001:db8::11]:80"],
    ],
    [
      "waits for services of a firewall mark where it has none of its own, and for those of its family only",
      [mark],
      [
        tcp4,
        mark6,
        address("eth0/192.168.0.219"),
        address("eth0/192.168.0.220"),
        address("eth0/2001:db8::219"),
      ],
      [
        "VirtualAddress eth0/192.168.0.219",
        "VirtualAddress eth0/192.168.0.220 < VirtualService fwmark://10",
        "VirtualAddress eth0/2001:db8::219",
      ],
    ],
    [
      "waits for the silence of a real server, but for a director's own address that is not on lo",
      [silence],
      [tcp4, address("eth0/192.168.0.219"), address("lo/192.168.0.219"), address("dummy0/192.168.0.220")],
      [
        "VirtualAddress eth0/192.168.0.219",
        "VirtualAddress lo/192.168.0.219 < ArpSuppression arp-suppression/lo",
        "VirtualAddress dummy0/192.168.0.220 < ArpSuppression arp-suppression/lo",
      ],
    ],
    [
      "that stacks share goes once",
      [],
      [shared("shop/prod", "eth0/192.168.0.219"), shared("blog/prod", "eth0/192.168.0.219")],
      ["VirtualAddress eth0/192.168.0.219"],
    ],
    [
      "that stacks share waits for the settings of each",
      [line(20, "IpForwarding ip-forwarding/ipv4", "forwarding", "net.ipv4.ip_forward", "1")],
      [
        shared("blog/prod", "eth0/192.168.0.219"),
        shared("shop/prod", "eth0/192.168.0.219"),
        shared("blog/prod", "eth0/192.168.0.220"),
      ],
      [
        "VirtualAddress eth0/192.168.0.219 < IpForwarding ip-forwarding/ipv4",
        "VirtualAddress eth0/192.168.0.220",
      ],
    ],
  ])("an address %s", (_title, missing, others, wanted) => {
    expect(turns(missing, others)).toEqual(wanted);
  });

  test("when the time is over, an address goes but for a missing silence, or where none of its services is there", () => {
    const https = service("tcp://192.168.0.220:443");
    const missing = [silence, tcp4, https, mark, server("tcp://192.168.0.220:80/192.168.10.11:80")];
    const others = [
      service("tcp://192.168.0.220:80"),
      ...["eth0/192.168.0.219", "eth0/192.168.0.220", "lo/192.168.0.221", "eth0/2001:db8::219"].map(address),
      line(90, "HostRoute a", "route", "4", "10.0.0.0/8", "src", "192.168.0.219", "table", "main"),
      line(90, "HostRoute b", "route", "4", "10.0.0.0/8", "src", "192.168.0.220", "table", "main"),
    ];
    expect(turns(missing, others, "1")).toEqual([
      "VirtualAddress eth0/192.168.0.219 < VirtualService tcp://192.168.0.219:80",
      "VirtualAddress eth0/192.168.0.220",
      "VirtualAddress lo/192.168.0.221 < ArpSuppression arp-suppression/lo",
      "VirtualAddress eth0/2001:db8::219",
      "HostRoute a < VirtualAddress eth0/192.168.0.219",
      "HostRoute b",
    ]);
  });
});
