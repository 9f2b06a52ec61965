import { z } from "zod";
import { linkNamed } from "../src/facts/ip-lists.js";
import { step } from "../src/host/step.js";
import { familyOf, interfaceName, ipAddress, port } from "../src/values/address.js";
import { show } from "../src/values/problem.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";
import { missingInterface } from "./engine/missing-interface.js";

/** Arguments of a SyncDaemon. */
export interface SyncDaemonArgs {
  /**
   * `master` sends its connections to other directors, `backup` receives theirs (ipvsadm(8), --start-daemon). A
   * host may have one of each. A change replaces.
   */
  state: "master" | "backup";
  /** Interface that sends or receives messages, such as `eth1` (ipvsadm(8), --mcast-interface). An alternative name (ip-link(8), altname) is understood. */
  mcastInterface: string;
  /**
   * Id of a master's messages, 0-255. A backup accepts messages with its own id, and with 0 all of them.
   * Default 0.
   */
  syncid?: number | undefined;
  /**
   * Bytes of the longest message, 1-65507. A backup needs at least 1024, and as many as the master sends.
   * With an IPv6 group the limit is 65487. Default: 1472, or 1452 with an IPv6 group, which fit in packets of
   * 1500 bytes.
   */
  syncMaxlen?: number | undefined;
  /** Multicast group, IPv4 or IPv6 (ipvsadm(8), --mcast-group). Default `224.0.0.81`. */
  mcastGroup?: string | undefined;
  /** UDP port, 1-65535 (ipvsadm(8), --mcast-port). Default 8848. */
  mcastPort?: number | undefined;
  /**
   * Time to live of messages, 1-255: they pass one router less (ipvsadm(8), --mcast-ttl). Default 1: no router.
   */
  mcastTtl?: number | undefined;
}

/** @internal */
export const key = z.strictObject({ state: z.enum(["master", "backup"]) });

/** @internal */
export const config = z.strictObject({
  mcastInterface: interfaceName,
  syncid: z.number().int().min(0).max(255).default(0),
  syncMaxlen: z.number().int().min(1).max(65507).optional(),
  mcastGroup: ipAddress
    .refine((address) => /^(22[4-9]|23\d)\.|^ff..:/.test(address), {
      error: ({ input }) => `${show(input)} is not a multicast address`,
    })
    .default("224.0.0.81"),
  mcastPort: port.default(8848),
  mcastTtl: z.number().int().min(1).max(255).default(1),
});

type Config = z.output<typeof config>;

/** Returns the bytes of a message in a packet, after the headers of IP and UDP. */
const roomIn = (packet: number, group: string) => packet - (familyOf(group) === "ipv4" ? 28 : 48);

/**
 * The daemon that copies connections between directors. `ipvsadm -Ln --daemon` shows it, `--start-daemon` and
 * `--stop-daemon` change it. @internal
 */
export const syncDaemon = define({
  kind: "SyncDaemon",
  key,
  config,
  rank: ranks.table,
  conflicts: () => "daemons",

  defaults(_key, config) {
    // A group that is not known yet has no family.
    if (config.mcastGroup) config.syncMaxlen ??= roomIn(1500, config.mcastGroup);
  },

  // The kernel would use another length without an error.
  validate({ state }, { syncMaxlen, mcastGroup }) {
    if (syncMaxlen === undefined) return [];
    const most = roomIn(65535, mcastGroup);
    if (syncMaxlen > most)
      return [{ path: "syncMaxlen", reason: `${syncMaxlen} is above ${most}, the most of an IPv6 group` }];
    if (state === "backup" && syncMaxlen < 1024)
      return [{ path: "syncMaxlen", reason: `${syncMaxlen} is below 1024, the least of a backup` }];
    return [];
  },

  id: ({ state }) => `sync-daemon/${state}`,

  facts: (_key, want) => ["daemons", ...(want ? (["addresses"] as const) : [])],

  refuses: (_key, want, have, facts) => (have ? undefined : missingInterface(facts, want.mcastInterface)),

  read(facts, { state }, want) {
    const found = facts.daemons().find((daemon) => daemon.state === state);
    if (!found) return undefined;
    const { state: _, ...shown } = found;
    const isSame = want && linkNamed(facts.links(), want.mcastInterface)?.ifname === shown.mcastInterface;
    return isSame ? { ...shown, mcastInterface: want.mcastInterface } : shown;
  },

  record: ({ state }, { mcastInterface, syncid, syncMaxlen, mcastGroup, mcastPort, mcastTtl }) => [
    ...["daemon", state, mcastInterface, String(syncid), String(syncMaxlen)],
    ...[mcastGroup, String(mcastPort), String(mcastTtl)],
  ],

  plan({ state }, want, have) {
    const stop = ["ipvsadm", "--stop-daemon", state];
    const start = (to: Config) => [
      ...["ipvsadm", "--start-daemon", state, "--mcast-interface", to.mcastInterface],
      ...["--syncid", String(to.syncid), "--sync-maxlen", String(to.syncMaxlen)],
      ...["--mcast-group", to.mcastGroup, "--mcast-port", String(to.mcastPort)],
      ...["--mcast-ttl", String(to.mcastTtl)],
    ];
    // A running daemon cannot be changed.
    return [...(have ? [step(stop, start(have))] : []), ...(want ? [step(start(want), stop)] : [])];
  },
});
