import { expect, it } from "vitest";
import { type HostName, hosts, run } from "../support/machines/lab.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const vip = "192.168.0.210";

/** One ARP packet about the VIP as the client hears it. */
interface Heard {
  readonly seconds: number;
  readonly from: HostName | undefined;
  readonly text: string;
}

/** What the client hears about the VIP while something is done; with `asking` it asks for it all the time. */
async function heard(work: () => Promise<unknown>, asking = false): Promise<Heard[]> {
  const macs = await Promise.all(
    hosts.map(
      async (host) => [(await run(host, "cat /sys/class/net/eth1/address")).stdout.trim(), host] as const,
    ),
  );
  await run(
    "client",
    `rm -f /tmp/arp; nohup sh -c 'tcpdump -i eth1 -n -e -tt -l "arp host ${vip}" >/tmp/arp 2>/tmp/arp.errors & echo $! >/tmp/arp.pid
${asking ? `arping -q -b -w 300 -I eth1 ${vip} & echo $! >>/tmp/arp.pid` : ":"}; wait' >/dev/null 2>&1 </dev/null &
n=0; until grep -q listening /tmp/arp.errors 2>/dev/null; do n=$((n + 1)); [ $n -lt 3000 ] || exit 1; sleep 0.1; done`,
  );
  try {
    await work();
    // The last announcement comes some five seconds after the first, or later on a loaded computer.
    await run(
      "client",
      `sleep 6; n=0; until [ $(wc -l </tmp/arp) -ge 5 ] || [ $n -ge 60 ]; do n=$((n + 1)); sleep 1; done`,
    );
  } finally {
    await run("client", "for p in $(cat /tmp/arp.pid); do kill $p; done; sleep 0.5", { allowFailure: true });
  }
  const { stdout } = await run("client", "cat /tmp/arp");
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((text) => ({
      seconds: Number(text.split(" ")[0]),
      from: macs.find(([mac]) => text.split(" ")[1] === mac)?.[1],
      text,
    }));
}

/** Announcements: requests or replies that a host sends about an address of its own. */
const announcements = (all: readonly Heard[], host: HostName) =>
  all.filter(
    ({ from, text }) =>
      from === host &&
      (text.includes(`who-has ${vip} tell ${vip}`) ||
        text.includes(`who-has ${vip} (`) ||
        /Reply/.test(text)),
  );

const placed = (host: HostName) => `
new lvs.VirtualAddress("vip", { connection: { host: "${host}" }, interface: "eth1", address: "${vip}" });
`;

onLab("neighbours", () => {
  const keep = disposing();
  let stack: Stack;

  it("are told five times within some seconds of a VIP that appears, in both forms", async () => {
    stack = keep(await Stack.ofProgram(placed("director")));
    const told = announcements(await heard(() => stack.up()), "director");
    expect(told).toHaveLength(5);
    expect(told.filter(({ text }) => /Reply/.test(text))).toHaveLength(2);
    // One a second. What the client hears may be late by a second on a loaded computer, but five at once are never this far apart.
    expect((told.at(-1) as Heard).seconds - (told[0] as Heard).seconds).toBeGreaterThan(2);
  }, 900_000);

  it("learn at once that it has moved to another host", async () => {
    const neighbour = async () => (await run("client", `ip neigh show ${vip}`)).stdout.trim();
    const macOf = async (host: HostName) =>
      (await run(host, "cat /sys/class/net/eth1/address")).stdout.trim();
    await run("client", `ping -c 1 -W 2 ${vip} >/dev/null`);
    expect(await neighbour()).toContain(await macOf("director"));
    await stack.program(placed("rs1"));
    const told = announcements(await heard(() => stack.up()), "rs1");
    expect(told).toHaveLength(5);
    // no host has sent a request since
    expect(await neighbour()).toContain(await macOf("rs1"));
    await stack.destroy();
  }, 900_000);

  it("never hear of a VIP from a real server, from before a cluster is there until after it has gone", async () => {
    const cluster = keep(await Stack.ofEnvironment("lab-dr"));
    const all = await heard(async () => {
      await cluster.up();
      await cluster.destroy();
    }, true);
    const replies = all.filter(({ text }) => /Reply/.test(text));
    expect(new Set(replies.map(({ from }) => from))).toEqual(new Set(["director"]));
    expect(all.filter(({ from }) => from === "rs1" || from === "rs2")).toEqual([]);
  }, 900_000);
});
