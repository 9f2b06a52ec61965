import { z } from "zod";
import { step } from "../src/host/step.js";
import { familyOf, interfaceName, ipAddress, port } from "../src/values/address.js";
import { show } from "../src/values/problem.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";

/** Arguments of a SyncDaemon. */
export interface SyncDaemonArgs {
  /** `master` tells other directors of its connections, `backup` hears of theirs; a host may have one of each. A change replaces. */
  state: "master" | "backup";
  /** Interface that messages are sent from or heard on, such as `eth1` (ipvsadm(8), --mcast-interface). */
  mcastInterface: string;
  /** 0-255: marks messages of a master; a backup hears those that are marked so, and with 0 any. Default 0. */
  syncid?: number;
  /**
   * Bytes of the longest message, 1-65507; a backup takes no less than 1024, and must take what the master sends. An IPv6
   * group leaves 65487. Default: 1472, or 1452 with an IPv6 group, which fit in packets of 1500 bytes.
   */
  syncMaxlen?: number;
  /** Multicast group, IPv4 or IPv6 (ipvsadm(8), --mcast-group). Default `224.0.0.81`. */
  mcastGroup?: string;
  /** UDP port, 1-65535. Default 8848. */
  mcastPort?: number;
  /** How many routers messages may pass, and one, 1-255. Default 1: none. */
  mcastTtl?: number;
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
      error: ({ input }) => `${show(input)} is no multicast address`,
    })
    .default("224.0.0.81"),
  mcastPort: port.default(8848),
  mcastTtl: z.number().int().min(1).max(255).default(1),
});

type Config = z.output<typeof config>;

/** What is left for a message in a packet of so many bytes, after the headers of IP and UDP. */
const roomIn = (packet: number, group: string) => packet - (familyOf(group) === "ipv4" ? 28 : 48);

/** A daemon that keeps directors' connections in step: `ipvsadm -Ln --daemon` shows it, `--start-daemon` and `--stop-daemon` change it. @internal */
export const syncDaemon = define({
  kind: "SyncDaemon",
  key,
  config,
  rank: ranks.table,
  rivals: () => true,

  complete(_key, config) {
    // a group that is not known yet says nothing of its family
    if (config.mcastGroup) config.syncMaxlen ??= roomIn(1500, config.mcastGroup);
  },

  // the kernel would take another length silently
  problems({ state }, { syncMaxlen, mcastGroup }) {
    if (syncMaxlen === undefined) return [];
    const most = roomIn(65535, mcastGroup);
    if (syncMaxlen > most)
      return [{ path: "syncMaxlen", reason: `${syncMaxlen} is above ${most}, the most of an IPv6 group` }];
    if (state === "backup" && syncMaxlen < 1024)
      return [{ path: "syncMaxlen", reason: `${syncMaxlen} is below 1024, the least of a backup` }];
    return [];
  },

  id: ({ state }) => `sync-daemon/${state}`,

  facts: () => ["daemons"],

  read(facts, { state }) {
    const found = facts.daemons().find((daemon) => daemon.state === state);
    if (!found) return undefined;
    const { state: _, ...shown } = found;
    return shown;
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
    // one that runs cannot be changed
    return [...(have ? [step(stop, start(have))] : []), ...(want ? [step(start(want), stop)] : [])];
  },
});
