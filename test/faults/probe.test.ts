import { describe, expect, test } from "vitest";
import { Engine } from "../../providers/engine/engine.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { serviceProbe } from "../../providers/service-probe/index.js";
import { fakeHost } from "../support/fake/engine.js";
import { type FakeHost, shells } from "../support/fake/fake-host.js";

const url = "http://192.168.0.219/";
const client = { host: "client1" };
const director = { host: "director1" };
const way = "192.168.0.219 dev eth0 src 192.168.0.100 uid 0 \\    cache \n";
const flow = (state: string, port: number, server = "192.168.10.12:80") =>
  `TCP 00:58  ${state.padEnd(11)} 192.168.0.100:${port} 192.168.0.219:80 ${server}\n`;
const table = (...more: string[]) =>
  ["-A -t 192.168.0.219:80 -s rr", ...more.map((line) => `-a -t 192.168.0.219:80 ${line}`), ""].join("\n");
const both = table("-r 192.168.10.11:80 -m -w 1", "-r 192.168.10.12:80 -m -w 1");
const timedOut = "28 000 0 - Connection timed out after 3001 milliseconds\n";
const refused =
  "7 000 0 - Failed to connect to 192.168.0.219 port 80 after 10 ms: Couldn't connect to server\n";

/** A client of a service that replies so, in turn, and a director that shows it so. */
function scene(
  { replies = "0 200 41000 rs1\n0 200 41001 rs2\n", arp = "", ipvs = both, flows = "", at = way } = {},
  shell = shells[0],
) {
  const [asker, front] = [fakeHost({ label: "client1", ...(shell ? { shell } : {}) }), fakeHost()];
  for (const [fake, name, text] of [
    [asker, "replies", replies],
    [asker, "way", at],
    [asker, "arp", arp],
    [front, "ipvs", ipvs],
    [front, "flows", ""],
    [front, "macs", "2: eth0: <UP> mtu 1500 link/ether 52:54:00:4c:02:01 brd ff:ff:ff:ff:ff:ff\n"],
  ] as [FakeHost, string, string][])
    fake.write(name, text);
  // what comes of the asking is not there before it
  if (flows) {
    const log = { requested: 0 };
    const ask = front.host.query.bind(front.host);
    front.host.query = (...queries) => {
      if (log.requested++ > 0) front.write("flows", flows);
      return ask(...queries);
    };
  }
  const engine = new Engine(serviceProbe, (_, label) => (label === "client1" ? asker.host : front.host));
  const inputsOf = (args: Bag) => {
    const { inputs, failures } = engine.check(
      {},
      { connection: client, owner: "p/s/web", url, requests: 4, within: 0, ...args },
    );
    expect(failures).toEqual([]);
    return inputs;
  };
  return { asker, front, engine, inputsOf, create: (args: Bag = {}) => engine.create(inputsOf(args)) };
}

const failed = (why: string) => new Error(`probe/${url} failed on client1: ${why}`);

describe("a probe", () => {
  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "that comes out as expected leaves nothing on the host, where sh is %s",
    async (_, shell) => {
      const { asker, create } = scene(
        { arp: "Unicast reply from 192.168.0.219 [52:54:0:4C:2:1]  0.8ms\n" },
        shell,
      );
      const before = asker.snapshot();
      const args = {
        spread: { header: "x-served-by", servers: 2, shares: { rs1: 0.5 } },
        director,
        arp: true,
      };
      expect((await create({ ...args, contains: "rs" })).id).toBe(`client1/probe/${url}`);
      expect(asker.snapshot()).toBe(before);
      expect(asker.lines("log").filter((line) => line.startsWith("curl "))).toHaveLength(4);
    },
  );

  test("runs when it is created and when it changes, and not when it is read, deleted or reached otherwise", async () => {
    const { asker, engine, inputsOf, create } = scene();
    const count = () => asker.lines("log").length;
    const { id, outs } = await create({ triggers: [1] });
    expect(count()).toBe(4);
    await engine.read(id, outs);
    await engine.delete(id, outs);
    await engine.update(id, outs, { ...inputsOf({ triggers: [1] }), connection: { ...client, user: "me" } });
    expect(count()).toBe(4);
    await engine.update(id, outs, inputsOf({ triggers: [2] }));
    expect(count()).toBe(8);
    asker.write("replies", timedOut);
    await expect(engine.update(id, outs, inputsOf({ triggers: [3] }))).rejects.toThrow(
      failed("1 of the first 1 requests failed: (28) Connection timed out after 3001 milliseconds"),
    );
  });

  test("holds no lock, so that no change of the host waits for it", async () => {
    const { asker, create } = scene();
    const letGo = await asker.holdLock();
    await create();
    await letGo();
  });

  test("runs again within its time", async () => {
    const { create } = scene({ replies: `${timedOut}0 200 41000 rs1\n` });
    await expect(create({ requests: 1 })).rejects.toThrow("timed out");
    const { create: again } = scene({ replies: `${timedOut}0 200 41000 rs1\n` });
    await again({ requests: 1, within: 1 });
  });
});

test("more requests than a script has time for are sent in parts, and so no more fail than may", async () => {
  const connection = { ...client, operationTimeout: 12 };
  const args = { connection, requests: 5, timeout: 3 };
  const { asker, create } = scene();
  await create(args);
  expect(asker.host.scripts).toBe(3);
  expect(asker.lines("log")).toHaveLength(5);
  const { asker: other, create: again } = scene({ replies: `0 200 41000 rs1\n${timedOut}` });
  await expect(again({ ...args, requests: 20, failures: 2 })).rejects.toThrow(
    failed("3 of the first 6 requests failed (2 may): (28) Connection timed out after 3001 milliseconds"),
  );
  expect(other.lines("log")).toHaveLength(6);
});

test("time in a host's queue is not the service's: what fails at first is tried again, however long it waited", async () => {
  const { asker, create } = scene({ replies: `${timedOut}0 200 41000 rs1\n` });
  const ask = asker.host.query.bind(asker.host);
  asker.host.query = async (...queries) => {
    const answer = await ask(...queries);
    if (asker.lines("log").length === 1) await new Promise((resolve) => setTimeout(resolve, 1100));
    return answer;
  };
  await create({ requests: 1, within: 1 });
});

test("who only connects needs no telnet of curl's", async () => {
  const mail = { url: "tcp://192.168.0.219:25", requests: 1 };
  const { asker, create } = scene({ replies: "1 000 41000 - Received HTTP/0.9 when not allowed\n" });
  asker.write("faults/no-telnet", "");
  await create(mail);
  expect(asker.read("log")).toMatch(/ http:\/\/192\.168\.0\.219:25$/m);
  const { asker: other, create: byTelnet } = scene({ replies: "28 000 41000 - Time-out\n" });
  await byTelnet(mail);
  expect(other.read("log")).toMatch(/ telnet:\/\/192\.168\.0\.219:25$/m);
});

test("where curl itself could not ask, the network is not blamed", async () => {
  const { create } = scene({ replies: '1 000 0 - Protocol "https" not supported\n' });
  await expect(create({ director })).rejects.toThrow(/\(1\) Protocol "https" not supported$/);
});

test.for([
  ["a status", {}, "the status is 503, wanted 200", { replies: "0 503 41000 rs1\n" }],
  ["a body", { contains: "OK" }, 'the body does not contain "OK"', {}],
] as const)("another reply than expected is said: %s", async ([, args, why, given]) => {
  await expect(scene(given).create(args)).rejects.toThrow(failed(`1 of the first 1 requests failed: ${why}`));
});

test("as many may fail as are allowed, and one more is one too many", async () => {
  const replies = `0 200 41000 rs1\n${timedOut}`;
  await scene({ replies }).create({ failures: 2 });
  await expect(scene({ replies }).create({ failures: 1 })).rejects.toThrow(
    failed("2 of 4 requests failed (1 may): (28) Connection timed out after 3001 milliseconds"),
  );
});

test("replies of too few servers, or too few of one, are reported with their senders", async () => {
  const { create } = scene({
    replies: "0 200 41000 rs1\n0 200 41000 rs1\n0 200 41000 rs1\n0 200 41001 rs2\n",
  });
  const seen = 'replies came from "rs1" (3), "rs2" (1)';
  await expect(create({ spread: { servers: 3 } })).rejects.toThrow(failed(`${seen}: wanted 3 servers`));
  await expect(create({ spread: { shares: { rs2: 0.4 } } })).rejects.toThrow(
    failed(`${seen}: wanted at least 0.4 of them from "rs2"`),
  );
});

describe("a probe that may read the director says which hop fails", () => {
  const says = async (given: Parameters<typeof scene>[0], why: string) => {
    const { create } = scene(given);
    await expect(create({ director })).rejects.toThrow(`; ${why}`);
  };

  test("from the director to a real server, and back", async () => {
    const flows = flow("SYN_RECV", 41000);
    await says(
      { replies: timedOut, flows },
      "real server 192.168.10.12:80 got the connection, but its answer does not arrive: is it up, and does it answer by way of the director?",
    );
    const routed = table("-r 192.168.10.12:80 -g -w 1");
    await says(
      { replies: timedOut, flows, ipvs: routed },
      "real server 192.168.10.12:80 got the connection, but its answer does not arrive: is it up, and does it have 192.168.0.219 on lo?",
    );
    await says(
      { replies: timedOut, flows, ipvs: routed, at: `local ${way}` },
      "real server 192.168.10.12:80 got the connection, but its answer does not arrive: with gatewaying it answers as the VIP, which is the director's own address, so probe from another host",
    );
  });

  test("from the client to the director", async () => {
    await says(
      { replies: timedOut },
      "nothing of it reached the director: does it have the VIP, and does no other host answer ARP for it?",
    );
  });

  test("in the director's table, or at the real server's port", async () => {
    await says({ replies: refused, ipvs: "" }, "the director has no service tcp://192.168.0.219:80");
    await says(
      { replies: refused, ipvs: table("-r 192.168.10.11:80 -m -w 0") },
      "the director has no real server for tcp://192.168.0.219:80 that takes connections",
    );
    await says(
      // one that was answered before is not to blame
      { replies: refused, flows: flow("TIME_WAIT", 40999, "192.168.10.11:80") + flow("CLOSE", 41000) },
      "real server 192.168.10.12:80 got it: does anything listen there?",
    );
  });

  test("and whose a wrong reply was", async () => {
    const flows = flow("FIN_WAIT", 41000, "192.168.10.11:80") + flow("FIN_WAIT", 41001);
    await says({ replies: "0 503 41001 rs2\n", flows }, "that was real server 192.168.10.12:80");
  });
});

describe("a probe of ARP", () => {
  const reply = (mac: string) => `Unicast reply from 192.168.0.219 [${mac}]  0.8ms\n`;
  const [one, other] = ["52:54:00:4C:02:01", "52:54:00:4C:03:01"];

  test.for([
    ["no host", "", {}, "no host answers ARP for 192.168.0.219 on eth0"],
    [
      "two",
      reply(one) + reply(other),
      {},
      "52:54:00:4c:02:01 and 52:54:00:4c:03:01 answer ARP for 192.168.0.219; all but the director must keep silent (ArpSuppression)",
    ],
    [
      "a stranger to the director",
      reply(other),
      { director },
      "52:54:00:4c:03:01 answers ARP for 192.168.0.219, and is not the director; suppress ARP on that machine (ArpSuppression)",
    ],
  ] as const)("fails when %s answers", async ([, arp, args, why]) => {
    await expect(scene({ arp }).create({ arp: true, ...args })).rejects.toThrow(failed(why));
  });

  test("is refused where no host could answer", async () => {
    await expect(scene({ at: `local ${way}` }).create({ arp: true })).rejects.toThrow(
      failed("arp: 192.168.0.219 is an address of this host; probe from another host, or leave arp out"),
    );
  });
});

test("a tool that is missing is named in one line, with what to do", async () => {
  const { asker, create } = scene();
  asker.withoutTool("curl");
  await expect(create()).rejects.toThrow(failed("curl: not found; install curl there"));
});
