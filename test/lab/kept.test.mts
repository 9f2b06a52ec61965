import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { directors, untilHeld } from "./holders.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.211";
/** Clients of LVS/NAT have sources of their own, because their answers go through the gateway. */
const sources = ["192.168.0.101", "192.168.0.102"] as const;
const [source] = sources;

/** LVS/NAT with two directors. The real servers are one machine by two addresses. */
const configuration = `config:
  lvs:clusters:
    web:
      kind: nat
      directors:
        - connection: { host: director }
          interface: eth1
          insideInterface: eth2
          # ip_vs_ftp needs the first one, and a director that is back the second one
          sysctls: { net.ipv4.vs.conntrack: "1", net.netfilter.nf_conntrack_tcp_be_liberal: "1" }
        - connection: { host: rs1 }
      vrrp: { routerId: 62, preemptDelay: 5, gateways: [{ address: 192.168.10.1, prefixLength: 24 }] }
      sync: { mcastInterface: eth2, syncid: 7 }
      vips: [${vip}]
      services:
        - { port: 8000, scheduler: rr, persistence: { timeout: 300 } }
        - { port: 21, realServers: [one] }
        - { port: 2121, realServers: [two] }
      realServers:
        - { name: one, address: 192.168.10.12, connection: { host: rs2 } }
        - { name: two, address: 192.168.10.112 }
      returnRoutes: [${sources.join(", ")}]
`;

const ftp = (...args: (string | number)[]) => `python3 /tmp/ftp.py ${args.join(" ")}`;
const ports = [21, 2121] as const;

onLab("clients of two directors with NAT", () => {
  const keep = disposing();
  let stack: Stack;

  /** The servers that answer the next connections of both clients in turn. */
  const servers = async (): Promise<string[]> => {
    const ask = sources.map((from) => `curl -s -m 9 --interface ${from} http://${vip}:8000/`).join("; ");
    return (await run("client", `for i in 1 2 3; do ${ask}; done`)).stdout.trim().split("\n");
  };
  const ofFtp = async (port: number): Promise<string[]> =>
    (await run("client", `cat /tmp/ftp.${port}`)).stdout.trim().split("\n");
  const file = "a file from 192.168.0.211: ['150 here it comes', '226 done']";
  let before: string[];

  it("have a server each, and a control connection of FTP, which both directors know", async () => {
    const program = await readFile(join(import.meta.dirname, "ftp.py"), "utf8");
    for (const host of ["client", "rs2"] as const)
      await run(host, `cat >/tmp/ftp.py <<'PROGRAM'\n${program}\nPROGRAM`);
    await run("client", sources.map((from) => `ip addr add ${from}/24 dev eth1`).join("; "));
    await run(
      "rs2",
      `ip addr add 192.168.10.112/24 dev eth2
echo 'server { listen 8000; location / { return 200 "$server_addr\\n"; } }' >/etc/nginx/conf.d/address.conf
systemctl reload nginx
nohup ${ftp("server", "192.168.10.12", 21)} >/tmp/ftp.12 2>&1 </dev/null &
nohup ${ftp("server", "192.168.10.112", 2121)} >/tmp/ftp.112 2>&1 </dev/null &`,
    );
    for (const host of directors) await run(host, "modprobe ip_vs; modprobe ip_vs_ftp ports=21,2121");
    stack = keep(await Stack.ofEnvironment("kept", { configuration }));
    await stack.up();
    await untilHeld(vip, "director");
    for (const port of ports)
      await run("client", `nohup ${ftp("client", vip, port, source)} >/tmp/ftp.${port} 2>&1 </dev/null &`);
    for (const port of ports) await expect.poll(() => ofFtp(port), patience).toEqual([file]);
    before = await servers();
    const [one, other] = before as [string, string];
    expect([one, other].sort()).toEqual(["192.168.10.112", "192.168.10.12"]);
    expect(before).toEqual([one, other, one, other, one, other]);
    for (const port of ports)
      await expect
        .poll(async () => (await run("rs1", "ipvsadm -Lnc")).stdout, patience)
        .toMatch(new RegExp(` ESTABLISHED ${source}:\\d+ +${vip}:${port} `));
    // the template by which a client has its server
    for (const from of sources)
      await expect
        .poll(async () => (await run("rs1", "ipvsadm -Lnc")).stdout, patience)
        .toMatch(new RegExp(` ${from}:0 +${vip}:8000 `));
  });

  it("keep their servers by persistence when another director takes over", async () => {
    await run("director", "systemctl stop keepalived");
    await untilHeld(vip, "rs1");
    expect(await servers()).toEqual(before);
  });

  it("get files by the same control connection, if the VIP has as many characters as the server's address", async () => {
    await run("client", "touch /tmp/ftp.go");
    await expect.poll(async () => (await ofFtp(21)).length, patience).toBeGreaterThan(2);
    expect(new Set(await ofFtp(21))).toEqual(new Set([file]));
    await expect.poll(() => ofFtp(2121), patience).toEqual([file, "failed: timed out"]);
  });

  it("get them when the first director is back, too", async () => {
    await run("director", "systemctl start keepalived");
    await untilHeld(vip, "director");
    const { length } = await ofFtp(21);
    await expect.poll(async () => (await ofFtp(21)).length, patience).toBeGreaterThan(length + 1);
    expect(new Set(await ofFtp(21))).toEqual(new Set([file]));
    expect(await servers()).toEqual(before);
    await stack.destroy();
  });
});
