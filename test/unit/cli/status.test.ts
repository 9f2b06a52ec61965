import { expect, test } from "vitest";
import { groupsOf } from "../../../cli/failover/instances.js";
import { statusIn } from "../../../cli/status/command.js";
import type { Definition } from "../../../providers/engine/define.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { syncDaemon } from "../../../providers/sync-daemon.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { vrrpInstance } from "../../../providers/vrrp-instance/index.js";
import type { Entry } from "../../../rollback/deployment.js";
import { HostError } from "../../../src/errors.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeKeepalived } from "../../support/fake/keepalived.js";
import { cluster, stack } from "../../support/vrrp-entries.js";

const vip = "192.168.0.219";
const service = `tcp://${vip}:80`;

interface Setup {
  /** The service owns its servers, which are four, and each director is one, too. */
  readonly pool?: boolean;
  /** A director that an update has left out, so that it has no service yet. */
  readonly leftOut?: string;
}

/** Two directors with a service, two servers and a sync daemon each. The first one is a server itself. */
async function directorsWith({ pool = false, leftOut }: Setup = {}) {
  const hosts = new Map<string, FakeHost>(
    ["director1", "director2"].map((label) => [label, fakeHost({ label })] as const),
  );
  const entries: Entry[] = [
    { urn: stack, type: "pulumi:pulumi:Stack" },
    { urn: cluster, type: "lvs:index:DrCluster", parent: stack },
  ];
  const server = (address: string, weight = 1) => ({ service, address, port: 80, weight });
  for (const [host, fake] of hosts) {
    const add = async (definition: Definition, name: string, args: Bag, parent = cluster) => {
      const kind = resources(definition, fake);
      const given = { connection: { host }, ...args };
      const { id, props } = await kind.create(given);
      const type = `pulumi-nodejs:dynamic/lvs:${definition.kind}`;
      const urn = `urn:pulumi:prod::lvs::lvs:index:DrCluster$${type}::web-${host}-${name}`;
      entries.push({ urn, type, id, parent, inputs: kind.inputsOf(given), outputs: props });
    };
    const addresses = [221, 222, 223, 224]
      .map((last) => `192.168.0.${last}`)
      .concat(`192.168.0.1${host.at(-1)}`);
    const realServers = Object.fromEntries(addresses.map((address) => [`${address}:80`, {}]));
    if (host !== leftOut) {
      await add(virtualService, "tcp", { address: vip, port: 80, ...(pool ? { realServers } : {}) });
      if (!pool) {
        await add(realServer, "one", server("192.168.0.221"));
        await add(realServer, "two", server("192.168.0.222"));
        if (host === "director1") await add(realServer, "itself", server("192.168.0.11"));
      }
    }
    const single = (port: number) => ({ address: "192.168.0.220", port });
    if (host === "director1") await add(virtualService, "of-it-alone", single(25), stack);
    await add(virtualService, "of-both", single(53), stack);
    await add(syncDaemon, "sync", { state: "master", mcastInterface: "eth1" });
    const priority = host === "director1" ? 150 : 140;
    await add(vrrpInstance, "vrrp", {
      ...{ interface: "eth0", routerId: 51, addresses: [{ address: vip }], priority },
    });
    const own = `eth0 192.168.0.1${host.at(-1)}/24 - - -`;
    fake.write("addresses", `${fake.lines("addresses").join("\n")}\n${own}\n`);
  }
  new FakeKeepalived(hosts, "eth0-51").elect();
  const gone = new Set<string>();
  const find = (_: unknown, label: string) => ({
    submit: (job: never) =>
      gone.has(label)
        ? Promise.reject(new HostError(label, "no route to host", "check that it is up"))
        : (hosts.get(label) as FakeHost).host.submit(job),
  });
  const state = { resources: entries };
  return {
    hosts,
    gone,
    on: (host: string) => hosts.get(host) as FakeHost,
    async status(given: { name?: string; json?: boolean } = {}) {
      const [printed, messages]: [string[], string[]] = [[], []];
      const code = await statusIn({ groups: groupsOf(state), find: find as never }, state, given, {
        print: async (text) => void printed.push(text),
        log: (line) => void messages.push(line),
      });
      return { code, text: printed.join("\n"), messages };
    },
  };
}

test("status shows the directors, and nothing else while they are as the state says", async () => {
  const { status } = await directorsWith();
  expect(await status({ name: "web" })).toEqual({
    code: 0,
    messages: [],
    text: `192.168.0.219 (virtual router 51)
  director1  master     0 active and 0 inactive connections
  director2  backup     0 active and 0 inactive connections
  director1: sync master
  director2: sync master`,
  });
});

test("status tells what differs between the tables, and from the state", async () => {
  const { on, status } = await directorsWith();
  const two = on("director2");
  two.write("ipvs", `${two.lines("ipvs").join("\n")}\n`.replace(/(221:80.*) -w 1\n/, "$1 -w 7\n"));
  two.write(
    "ipvs",
    `${two
      .lines("ipvs")
      .filter((line) => !line.includes("222"))
      .join("\n")}\n`,
  );
  two.write("daemons", "");
  const { code, text } = await status();
  expect(code).toBe(17);
  expect(text.split("\n").slice(3)).toEqual([
    "  director1: sync master",
    "  director2: sync does not run",
    `  the tables differ: ${service}/192.168.0.221:80: weight is 1 on director1, 7 on director2`,
    `  the tables differ: ${service}/192.168.0.222:80: not on director2`,
    "  director2 is not as the state says: RealServer web-director2-one: weight is 7, wanted 1",
    "  director2 is not as the state says: RealServer web-director2-two: it is not there",
    "  director2 is not as the state says: SyncDaemon web-director2-sync: it is not there",
  ]);
  const json = JSON.parse((await status({ json: true })).text);
  expect(json[0].differences).toEqual([
    {
      entry: `${service}/192.168.0.221:80`,
      on: {
        director1: expect.objectContaining({ weight: 1 }),
        director2: expect.objectContaining({ weight: 7 }),
      },
    },
    { entry: `${service}/192.168.0.222:80`, on: { director1: expect.anything(), director2: null } },
  ]);
  expect(json[0].directors[1]).toMatchObject({ host: "director2", state: "backup", sync: [] });
  expect(json[0].directors[0].drift).toEqual([]);
});

test("status compares resources outside a cluster that each director declares, and no others", async () => {
  const { on, status } = await directorsWith();
  const two = on("director2");
  const lines = two.lines("ipvs").filter((line) => !line.includes("220:53"));
  two.write("ipvs", `${lines.join("\n")}\n`);
  const { code, text } = await status();
  expect(code).toBe(17);
  expect(text.split("\n").filter((line) => line.includes("differ"))).toEqual([
    "  the tables differ: tcp://192.168.0.220:53: not on director2",
  ]);
});

test("status names the service that a director lacks, without its servers", async () => {
  for (const pool of [false, true]) {
    const { status } = await directorsWith({ pool, leftOut: "director2" });
    const { code, text } = await status();
    expect(code).toBe(17);
    expect(text.split("\n").slice(5)).toEqual([`  the tables differ: ${service}: not on director2`]);
  }
});

test("status compares pools server by server, without the directors themselves", async () => {
  const { on, status } = await directorsWith({ pool: true });
  expect(await status()).toMatchObject({ code: 0 });
  const two = on("director2");
  two.write("ipvs", `${two.lines("ipvs").join("\n")}\n`.replace(/(224:80.*) -w 1\n/, "$1 -w 7\n"));
  const { code, text } = await status();
  expect(code).toBe(17);
  expect(text).toContain(
    `the tables differ: ${service}/192.168.0.224:80: weight is 1 on director1, 7 on director2`,
  );
  expect(text).toContain(
    'VirtualService web-director2-tcp: realServers["192.168.0.224:80"].weight is 7, wanted 1',
  );
});

test("status says that no director has the addresses, or several have them", async () => {
  const { on, gone, status } = await directorsWith();
  const [one, two] = [on("director1"), on("director2")];
  const has = `eth0 ${vip}/32 - - -\n`;
  two.write("addresses", two.read("addresses") + has);
  const both = await status();
  expect(both.code).toBe(17);
  expect(both.text).toContain("\n  director1 and director2 have the addresses at the same time\n");
  for (const host of [one, two]) host.write("addresses", host.read("addresses").replace(has, ""));
  const none = await status();
  expect(none.code).toBe(17);
  expect(none.text).toContain("\n  no director that answers has the addresses\n");
  gone.add("director1");
  expect((await status()).text).toContain("\n  no director that answers has the addresses\n");
});

test("status names a director that does not answer, and knows no other name", async () => {
  const { gone, status } = await directorsWith();
  gone.add("director1");
  const { code, text } = await status();
  expect(code).toBe(17);
  expect(text).toContain("director1  not known  no route to host; check that it is up");
  expect(text).not.toContain("differ");
  expect(await status({ name: "shop" })).toMatchObject({
    code: 1,
    messages: [
      expect.stringContaining(
        "cannot find shop: the stack has no VrrpInstance or cluster of this name; it has web",
      ),
    ],
  });
});
