import { expect, test } from "vitest";
import { makeAll, mistakesInProgram, mistakesOf, program } from "../../support/fake/cluster-program.js";

const vips = [{ address: "192.168.0.210", shared: true }, "192.168.0.211"];
const dr = {
  kind: "dr",
  director: { connection: { host: "director1" }, interface: "eth0" },
  vips,
  services: [{ port: 80 }],
  realServers: [{ name: "web1", address: "192.168.0.221", connection: { host: "web1" } }],
};
const nat = {
  ...dr,
  kind: "nat",
  director: { ...dr.director, dip: "192.168.10.10" },
  returnRoutes: ["10.0.0.0/8"],
};

/** Returns the names of the resources that may be shared, and whether they are. */
const sharing = async (args: { kind: string }) => {
  const { all, error } = await program(() => makeAll({ web: args }));
  expect(error).toBeUndefined();
  return Object.fromEntries(
    all
      .filter(({ type }) => ["VirtualAddress", "HostRoute"].includes(type))
      .map(({ name, inputs }) => [name, inputs.shared]),
  );
};

test("a VIP that is shared has its addresses and routes shared on every host", async () => {
  expect(await sharing(dr)).toEqual({
    "web-vip-192.168.0.210": true,
    "web-vip-route-192.168.0.210": true,
    "web-web1-vip-192.168.0.210": true,
    "web-web1-vip-192.168.0.210-route": true,
    "web-vip-192.168.0.211": undefined,
    "web-vip-route-192.168.0.211": undefined,
    "web-web1-vip-192.168.0.211": undefined,
    "web-web1-vip-192.168.0.211-route": undefined,
  });
});

test("return routes are shared by a word of their own", async () => {
  const addresses = { "web-vip-192.168.0.210": true, "web-vip-192.168.0.211": undefined };
  const route = "web-web1-route-10.0.0.0/8";
  expect(await sharing(nat)).toEqual({ ...addresses, [route]: undefined });
  expect(await sharing({ ...nat, sharedReturnRoutes: true } as typeof nat)).toEqual({
    ...addresses,
    [route]: true,
  });
});

test("clusters of one stack share it once, and say the same of it", async () => {
  const mail = { ...dr, services: [{ port: 25 }] };
  const { all, error } = await program(() => makeAll({ web: dr, mail }));
  expect(error).toBeUndefined();
  expect(all.filter(({ type }) => type === "VirtualAddress")).toHaveLength(4);
  const clusters = { web: dr, mail: { ...mail, vips: ["192.168.0.210"] } };
  const mistake =
    "clusters.mail.vips[0]: differs from clusters.web.vips[0]; 192.168.0.210 on director1 can have one value only; write the same in both clusters";
  expect(mistakesOf(clusters)).toEqual([mistake]);
  const back = { ...nat, services: [{ port: 25 }], sharedReturnRoutes: true };
  expect((await program(() => makeAll({ web: nat, back }))).error?.message).toContain(
    "web1/route/10.0.0.0/8 is declared twice: by project/stack/web-web1-route-10.0.0.0/8 and by project/stack/back-web1-route-10.0.0.0/8; take one of them out of the program, or set shared: true in both",
  );
});

test("clusters of one stack share the sync daemons of their director, one of each state", async () => {
  const daemon = (state: string, syncid = 7) => ({ state, mcastInterface: "eth1", syncid });
  const on = (host: string, port: number, syncDaemon: object) => ({
    ...dr,
    director: { connection: { host }, interface: "eth0", syncDaemon },
    services: [{ port }],
  });
  const [web, mail] = [on("director1", 80, daemon("master")), on("director1", 25, daemon("master"))];
  const backup = on("director1", 443, daemon("backup"));
  const other = { ...on("director2", 80, daemon("master")), vips: ["192.168.0.212"] };
  const clusters = { web, mail, backup, other };
  expect(mistakesOf(clusters)).toEqual([]);
  const { all, error } = await program(() => makeAll(clusters));
  expect(error).toBeUndefined();
  const daemons = all.filter(({ type }) => type === "SyncDaemon");
  expect(daemons.map(({ name }) => name)).toEqual([
    "web-sync-daemon",
    "backup-sync-daemon",
    "other-sync-daemon",
  ]);
  expect(mistakesOf({ web, mail: on("director1", 25, daemon("master", 8)) })).toEqual([
    "clusters.mail.director.syncDaemon: differs from clusters.web.director.syncDaemon; the master sync daemon of director1 can have one value only; write the same in both clusters",
  ]);
});

test("the words are checked, in YAML and in TypeScript", async () => {
  const wrong = {
    web: { ...dr, vips: [{ address: "192.168.0.210", shared: "yes" }], sharedReturnRoutes: true },
  };
  const mistakes = mistakesOf(wrong);
  expect(mistakes).toEqual([
    expect.stringMatching(/^clusters\.web\.vips\[0\]\.shared: /),
    expect.stringMatching(/^clusters\.web\.sharedReturnRoutes: .*only kind: nat has it/),
  ]);
  expect(await mistakesInProgram(wrong as never)).toEqual(mistakes);
});
