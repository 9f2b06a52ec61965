import { expect, it } from "vitest";
import { choose } from "../support/machines/choose.mts";
import { type HostName, run } from "../support/machines/lab.mts";
import { onLab } from "./setup.mts";

const schedulers = "rr wrr lc wlc fo ovf lblc lblcr dh sh mh sed nq twos".split(" ");

// a rule of its own for each match and target, in a chain that nothing jumps to
const rules = [
  "-p tcp -m multiport --dports 80,443 -m mark --mark 1 -j MARK --set-mark 2",
  "-m conntrack --ctstate ESTABLISHED,RELATED -m comment --comment x -j ACCEPT",
  "-m ipvs --ipvs -j CONNMARK --save-mark",
  "-m limit --limit 5/s -m addrtype --dst-type LOCAL -j LOG",
  "-m statistic --mode random --probability 0.5 -m length --length 0:100 -j NFLOG",
  "-m hashlimit --hashlimit-above 5/s --hashlimit-name x -m recent --name x --set -j RETURN",
  "-p sctp -m sctp --dport 80 -m owner --uid-owner 0 -j DROP",
  "-p tcp --tcp-flags SYN SYN -j TCPMSS --clamp-mss-to-pmtu",
];
const inChain = (tool: string, table: string, all: readonly string[]) =>
  [`${tool} -t ${table} -N lab`, ...all.map((rule) => `${tool} -t ${table} -A lab ${rule}`)].join("\n");
const iptables = (tool: string) =>
  [
    inChain(tool, "filter", [...rules.filter((rule) => !/TCPMSS|MARK/.test(rule)), "-j REJECT"]),
    inChain(tool, "mangle", rules),
    inChain(tool, "raw", ["-p tcp --dport 80 -j CT --notrack"]),
    `${tool} -t nat -A POSTROUTING -p tcp --dport 9 -j MASQUERADE`,
    `${tool} -t nat -A PREROUTING -p tcp --dport 9 -j REDIRECT --to-ports 10`,
    `${tool} -t filter -L lab -n | grep -c lab`,
  ].join("\n");
const nft = (family: string) => `nft add table ${family} lab
nft add chain ${family} lab in '{ type filter hook input priority 0; }'
nft add set ${family} lab ports '{ type inet_service; }'
nft add rule ${family} lab in tcp dport @ports ct state new limit rate 5/second counter meta mark set 1 log accept
nft add rule ${family} lab in tcp dport 9 counter reject
nft add chain ${family} lab out '{ type nat hook postrouting priority 100; }'
nft add rule ${family} lab out tcp dport 9 masquerade
nft list table ${family} lab
nft delete table ${family} lab`;

/** Two machines that reach each other through a device that each of them makes. */
const across = async (make: (local: string, remote: string) => string, ends: readonly [string, string]) => {
  const [director, rs1] = ["192.168.10.10", "192.168.10.11"];
  const up = (device: string, own: string) => `ip addr add ${own}/24 dev ${device}; ip link set ${device} up`;
  await run("director", `set -e\n${make(director, rs1)}\n${up(ends[0], "10.9.0.1")}`);
  await run("rs1", `set -e\n${make(rs1, director)}\n${up(ends[1], "10.9.0.2")}`);
  // the first packets wait for neighbours
  await run(
    "director",
    "n=0; until ping -c 1 -W 5 10.9.0.2; do n=$((n + 1)); [ $n -lt 20 ] || exit 1; done",
    {
      timeoutSeconds: 600,
    },
  );
  for (const [host, device] of [
    ["director", ends[0]],
    ["rs1", ends[1]],
  ] as const satisfies readonly (readonly [HostName, string])[])
    await run(host, `ip link del ${device}`);
};
const device =
  (type: string, options = "") =>
  (local: string, remote: string) =>
    `ip link add t9 type ${type} local ${local} remote ${remote} ${options}`;

const sctp = (code: string) => `modprobe sctp; python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
${code}'`;

onLab(`the lab's kernel (${choose().name})`, () => {
  it("has every scheduler of IPVS, and unloads them again", async () => {
    const script = schedulers.map((name, n) => `ipvsadm -A -t 192.0.2.1:${n + 1} -s ${name}`).join("\n");
    const { stdout } = await run("director", `set -e\n${script}\nipvsadm -Sn\nipvsadm -C`);
    expect(stdout.trim().split("\n")).toEqual(
      schedulers.map((name, n) => expect.stringMatching(`^-A -t 192.0.2.1:${n + 1} -s ${name}`)),
    );
    const modules = schedulers.map((name) => `ip_vs_${name}`).join(" ");
    await run("director", `modprobe -r ${modules} ip_vs && [ ! -e /proc/net/ip_vs ]`);
  });

  it("has IPVS for TCP, UDP, SCTP, marks and IPv6, with FTP, SIP and connection tracking", async () => {
    const { stdout } = await run(
      "director",
      `set -e
modprobe -a ip_vs_ftp ip_vs_pe_sip
ipvsadm -A -t 192.0.2.1:80 -s rr; ipvsadm -A -u 192.0.2.1:5060 -s rr --pe sip -p 60; ipvsadm -A --sctp-service 192.0.2.1:80 -s rr
ipvsadm -A -f 1 -s rr; ipvsadm -A -t [2001:db8::1]:80 -s rr; sysctl -w net.ipv4.vs.conntrack=1
ipvsadm -Sn; ipvsadm -C; modprobe -r ip_vs_ftp ip_vs_pe_sip ip_vs_rr ip_vs`,
    );
    for (const service of ["-t 192.0.2.1:80", "-u 192.0.2.1:5060", "--sctp-service 192.0.2.1:80", "-f 1"])
      expect(stdout).toContain(`-A ${service} `);
    expect(stdout).toContain("-A -t [2001:db8::1]:80");
  });

  it.each(["iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"])(
    "takes rules of %s",
    async (tool) => {
      await run("director", `set -e\n${iptables(tool)}`);
    },
  );

  it.each(["ip", "ip6", "inet"])("takes tables of nft in the family %s", async (family) => {
    const { stdout } = await run("director", `set -e\n${nft(family)}`);
    expect(stdout).toContain("masquerade");
  });

  it("carries SCTP", async () => {
    await run(
      "rs1",
      `${sctp(`
import os
s.bind(("192.168.10.11", 7)); s.listen(5)
if os.fork(): os._exit(0)
os.setsid(); os.dup2(os.open("/dev/null", os.O_RDWR), 1); os.dup2(1, 2); os.dup2(1, 0)
c, _ = s.accept(); c.send(b"hello"); c.close()`)}`,
    );
    const { stdout } = await run(
      "director",
      sctp('s.settimeout(60); s.connect(("192.168.10.11", 7)); print(s.recv(9).decode())'),
    );
    expect(stdout).toBe("hello\n");
  });

  it.each([
    ["IPIP", device("ipip")],
    ["GRE", device("gre")],
    [
      "IPIP in FOU",
      (local: string, remote: string) =>
        `modprobe -a ipip fou; ip fou add port 5555 ipproto 4; ${device("ipip", "encap fou encap-sport auto encap-dport 5555")(local, remote)}`,
    ],
    [
      "IPIP in GUE",
      (local: string, remote: string) =>
        `modprobe -a ipip fou; ip fou add port 5556 gue; ${device("ipip", "encap gue encap-sport auto encap-dport 5556")(local, remote)}`,
    ],
    // udev would give both the same address, as their machine-id is the same
    [
      "MACVLAN",
      (local: string) =>
        `ip link add link eth2 name t9 address 02:00:00:00:00:${local.slice(-2)} type macvlan mode bridge`,
    ],
  ])("carries %s between two machines", async (_, make) => {
    await across(make, ["t9", "t9"]);
  });

  it("carries VLANs over veth", async () => {
    await run(
      "director",
      `set -e
ip netns add lab; ip link add v0 type veth peer name v1 netns lab; ip link set v0 up; ip -n lab link set v1 up
ip link add link v0 name t9 type vlan id 9; ip addr add 10.9.0.1/24 dev t9; ip link set t9 up
ip -n lab link add link v1 name t9 type vlan id 9; ip -n lab addr add 10.9.0.2/24 dev t9; ip -n lab link set t9 up
ping -c 1 -w 120 10.9.0.2; ip link del v0; ip netns del lab`,
    );
  });

  it("has dummy, bond, bridge and veth devices", async () => {
    const kinds = ["dummy", "bond", "bridge", "veth"];
    const script = kinds.map((kind) => `ip link add ${kind}9 type ${kind}; ip link del ${kind}9`).join("\n");
    await run("director", `set -e\n${script}`);
    await run("director", "modprobe -a dummy bonding 8021q && modprobe -r dummy bonding 8021q");
  });

  it("delays packets by netem", async () => {
    const { stdout } = await run(
      "director",
      "set -e; tc qdisc add dev eth2 root netem delay 200ms; ping -c 3 192.168.10.11; tc qdisc del dev eth2 root",
    );
    const shortest = Number(/rtt min\/avg\/max\/mdev = ([\d.]+)/.exec(stdout)?.[1]);
    expect(shortest).toBeGreaterThan(150);
  });
});
