import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { run } from "../support/machines/lab.mts";
import { patience, waitOn } from "./setup.mts";

// The client machine is a router. A name space on it has the clients, and one more for each of the two servers. The servers are neighbours of
// the directors on eth1, and answer clients by the router. It chooses by protocol, addresses and ports, and in IPv6 by protocol and addresses.
// Policy 1 would take ports for packets from other machines, but takes the hash of the socket for those of this one. `ip route get` knows what
// policy 3 takes in IPv4 only, and policy 0 in IPv6 if there is no flow label.

/** Directors by name, with the addresses of docs/ecmp.md. */
const four = { director: "192.168.0.200", rs1: "192.168.0.221", rs2: "192.168.0.222" };
const six = { director: "fd00:77::200", rs1: "fd00:77::221", rs2: "fd00:77::222" };
export type Director = keyof typeof four;
export const names = Object.keys(four) as Director[];

const numbers = Array.from({ length: 150 }, (_, i) => 101 + i);

/** What IPv4 and IPv6 have each. */
export const families = [
  {
    ...{ name: "IPv4", ip: "ip", vip: "198.51.100.10", directors: four, group: 10 },
    clients: numbers.map((number) => `10.1.0.${number}`),
  },
  {
    ...{ name: "IPv6", ip: "ip -6", vip: "2001:db8:100::10", directors: six, group: 20 },
    clients: numbers.map((number) => `fd00:10::${number}`),
  },
] as const;

const network = `
modprobe -a macvlan veth
sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=3 net.ipv4.fib_multipath_hash_fields=0x37 \\
  net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0 \\
  net.ipv6.conf.all.forwarding=1 net.ipv6.fib_multipath_hash_policy=0
ip netns add clients
ip link add clients type veth peer name eth0 netns clients
ip addr add 10.1.0.1/24 dev clients
ip addr add fd00:10::1/64 dev clients nodad
ip link set clients up
ip -n clients link set eth0 up
ip netns exec clients sysctl -q -w net.ipv6.auto_flowlabels=0
for i in $(seq 101 250); do
  echo addr add 10.1.0.$i/24 dev eth0
  echo addr add fd00:10::$i/64 dev eth0 nodad
done | ip -n clients -batch -
ip -n clients route add default via 10.1.0.1
ip -n clients route add default via fd00:10::1
for i in 1 2; do
  ip netns add web$i
  ip link add link eth1 name eth1 netns web$i type macvlan mode bridge
  ip link add web$i type veth peer name eth0 netns web$i
  ip addr add 10.2.$i.1/30 dev web$i
  ip addr add fd00:2:$i::1/64 dev web$i nodad
  ip link set web$i up
  for f in all eth0 eth1; do
    ip netns exec web$i sysctl -q -w net.ipv4.conf.$f.rp_filter=0 net.ipv4.conf.$f.arp_ignore=1 net.ipv4.conf.$f.arp_announce=2
  done
  for l in lo eth0 eth1; do ip -n web$i link set $l up; done
  ip -n web$i addr add 10.2.$i.2/30 dev eth0
  ip -n web$i addr add 192.168.0.23$i/24 dev eth1
  ip -n web$i addr add fd00:2:$i::2/64 dev eth0 nodad
  ip -n web$i addr add fd00:77::23$i/64 dev eth1 nodad
  for vip in ${families.map(({ vip }) => vip).join(" ")}; do ip -n web$i addr add $vip dev lo; done
  ip -n web$i route add default via 10.2.$i.1
  ip -n web$i route add default via fd00:2:$i::1
done`;

/** Starts a program of ecmp.py in a name space. */
const start = (space: string, ...args: string[]) =>
  run(
    "client",
    `nohup ip netns exec ${space} python3 /tmp/ecmp.py ${args.join(" ")} >/tmp/${space}.log 2>&1 </dev/null & echo $! >/tmp/${space}.pid`,
  );

/** Makes the network behind the router, and starts the servers. */
export async function connect(): Promise<void> {
  const program = await readFile(join(import.meta.dirname, "ecmp.py"), "utf8");
  await run("client", `${network}\ncat >/tmp/ecmp.py <<'PROGRAM'\n${program}PROGRAM`);
  for (const server of ["web1", "web2"]) await start(server, "serve", server);
}

/** Ends the program of a name space: a server, or the clients. */
export const stop = (space: "clients" | "web1" | "web2") => run("client", `kill $(cat /tmp/${space}.pid)`);

/** What the report of ecmp.py says of a client. */
interface Client {
  readonly family: (typeof families)[number];
  readonly port: number;
  /** The server that answered last. */
  readonly server: string;
  readonly answers: number;
  /** How many of its connections broke. */
  readonly broken: number;
  /** The longest wait for an answer in seconds. */
  readonly wait: number;
}

const parseReport = (text: string): Map<string, Client> =>
  new Map(
    text
      .trim()
      .split("\n")
      .map((line) => {
        const [client = "", port, server = "", ...counts] = line.split(" ");
        const [answers, broken, wait] = counts.map(Number) as [number, number, number];
        const family = families[client.includes(":") ? 1 : 0];
        return [client, { family, port: Number(port), server, answers, broken, wait }];
      }),
  );

const readReport = async () => parseReport((await run("client", "cat /tmp/ecmp.report")).stdout);

/** The servers that answered the clients last. */
export const servers = async (): Promise<Set<string>> =>
  new Set([...(await readReport()).values()].map(({ server }) => server));

/** Returns the director that the router chooses now for the connection of each client. */
async function choices(of: ReadonlyMap<string, Client>): Promise<Map<string, Director | undefined>> {
  const lines = [...of].map(
    ([
      client,
      {
        port,
        family: { vip },
      },
    ]) => `route get ${vip} from ${client} iif clients ipproto tcp sport ${port} dport 80\n`,
  );
  const { stdout } = await run("client", `ip -batch - <<'LINES'\n${lines.join("")}LINES`);
  const found = [...stdout.matchAll(/^\S+ from (\S+) via (\S+) /gm)];
  return new Map(
    found.map(([, client = "", via]) => [
      client,
      names.find((name) => families.some(({ directors }) => directors[name] === via)),
    ]),
  );
}

/** A client, and the director that the router chooses for its connection. */
export interface Held extends Client {
  readonly director: Director | undefined;
}

/** Opens a connection from each client. */
export async function hold(): Promise<Map<string, Held>> {
  await run("client", "rm -f /tmp/ecmp.report");
  const pairs = families.flatMap(({ vip, clients }) => clients.map((client) => `${vip},${client}`));
  await start("clients", "hold", ...pairs);
  await waitOn("client", "[ -s /tmp/ecmp.report ]", 300);
  return answered();
}

/** Waits until each client has had three answers more. */
export async function answered(): Promise<Map<string, Held>> {
  const before = await readReport();
  const waiting = async () => {
    const now = await readReport();
    return [...before].flatMap(([client, { answers }]) =>
      (now.get(client)?.answers ?? 0) < answers + 3 ? [client] : [],
    );
  };
  await expect.poll(waiting, patience).toEqual([]);
  const now = await readReport();
  const chosen = await choices(now);
  return new Map([...now].map(([client, found]) => [client, { ...found, director: chosen.get(client) }]));
}

/** Share of the clients of each family. */
export const shares = (some: readonly Held[]): number[] =>
  families.map((family) => some.filter((one) => one.family === family).length / family.clients.length);

export const percent = (some: readonly Held[]): string =>
  shares(some)
    .map((share, i) => `${Math.round(100 * share)} % of ${families[i]?.name}`)
    .join(" and ");

/** The clients whose connections now come to another director, and those whose connection broke, as they were before. */
export async function between(before: Map<string, Held>, after: Map<string, Held>, what: string) {
  const chosen = await choices(before);
  const those = (has: (was: Held, client: string) => boolean) =>
    [...before].flatMap(([client, was]) => (has(was, client) ? [was] : []));
  const moved = those((was, client) => was.director !== chosen.get(client));
  const broken = those((was, client) => was.broken !== after.get(client)?.broken);
  console.log(`ECMP, ${what}: ${percent(moved)} change the director, ${percent(broken)} break`);
  return { moved, broken };
}

/** Waits until the router has routes by these directors, and no others. */
export async function untilRouted(...by: Director[]): Promise<void> {
  for (const { ip, vip, directors } of families) {
    const routes = by.map((name) => `via ${directors[name]}\n`).sort();
    const found = `${ip} route show ${vip} | grep -o 'via [0-9a-f.:]*' | sort`;
    await waitOn("client", `[ "$(${found})" = '${routes.join("").trim()}' ]`, 300);
  }
}

/**
 * Has the router choose among these directors by a resilient group of next hops (ip-nexthop(8)). When the group changes,
 * buckets move after a second, and only as many as the new director needs.
 */
export const groupOf = (...by: Director[]) =>
  run(
    "client",
    families
      .map(({ ip, vip, directors, group }) =>
        [
          ...names.map((name, i) => `ip nexthop replace id ${group + i + 1} via ${directors[name]} dev eth1`),
          `ip nexthop replace id ${group} group ${by.map((name) => group + names.indexOf(name) + 1).join("/")} \
            type resilient buckets 96 idle_timer 1 unbalanced_timer 1`,
          `${ip} route replace ${vip} nhid ${group}`,
        ].join("\n"),
      )
      .join("\n"),
  );
