import { z } from "zod";
import { step } from "../../src/host/step.js";
import { hostAddress, interfaceName } from "../../src/values/address.js";
import { ranks } from "../../src/values/ranks.js";
import { serviceReference } from "../../src/values/service-address.js";
import { instanceName, parseVrrp, printVrrp, type VrrpSettings } from "../../src/vrrp/instance.js";
import { type Definition, define } from "../engine/define.js";
import { missingInterface } from "../engine/missing-interface.js";
import { heldAddress } from "./clashes.js";
import { fillVrrpDefaults } from "./defaults.js";
import { validateVrrp } from "./validate.js";

/** An address that moves between directors. */
export interface VrrpAddressArgs {
  /** The address, IPv4 or IPv6. */
  address: string;
  /** Prefix length in bits, 1-32, or 1-128 for IPv6. Default 32 or 128: the address only. */
  prefixLength?: number | undefined;
  /** Interface for the address. Default: that of the instance. */
  interface?: string | undefined;
}

/** Arguments of a VrrpInstance. */
export interface VrrpInstanceArgs {
  /** Interface that sends and receives the advertisements, such as `eth0`. A change replaces. */
  interface: string;
  /** Virtual router id, 1-255: the same on all directors, and unique in the network. A change replaces. */
  routerId: number;
  /**
   * Addresses that the master has, at most 100, of both families and on several interfaces. They move together. The
   * first must be the same on all directors, because advertisements contain it and use its family.
   */
  addresses: VrrpAddressArgs[];
  /** The director with the highest priority is the master, 1-254. Default 100. */
  priority?: number | undefined;
  /** Version of the protocol: 3 (RFC 5798), or 2 (RFC 3768), which has no IPv6. Default 3. */
  version?: 2 | 3 | undefined;
  /**
   * Seconds between two advertisements, 0.01-255, the same on all directors. At most 40.95 in version 3, and whole
   * ones in version 2. A backup takes over after three to four of them. Default 0.7, or 1 in version 2.
   */
  advertInterval?: number | undefined;
  /** Addresses of the other directors, at most 100, which get the advertisements. Default `[]`: multicast. */
  peers?: string[] | undefined;
  /** Source of the advertisements. Default `null`: the first address of the interface. */
  source?: string | null | undefined;
  /** Whether a director takes the addresses from a master with a lower priority. Default true. */
  preempt?: boolean | undefined;
  /**
   * Seconds, 0-1000, that a director waits before it takes the addresses from a master with a lower priority, so that
   * a SyncDaemon gets connections first. Default 0.
   */
  preemptDelay?: number | undefined;
  /**
   * More interfaces whose failure makes the master give up, at most 100. The instance's own and those of the
   * addresses always count. Default `[]`.
   */
  trackInterfaces?: string[] | undefined;
  /**
   * Services, at most 20, that need a server that is up: `web.id`, or text such as `tcp://192.168.0.219:80`. The
   * director has a HealthMonitor for each. One without a server lowers the priority by `priorityDrop`. Default `[]`.
   */
  trackServices?: string[] | undefined;
  /** By how much a tracked service without a server lowers the priority, 1-253. Default 50. */
  priorityDrop?: number | undefined;
  /**
   * Seconds, 0-86400, after which the master announces its addresses again, IPv4 by gratuitous ARP and IPv6 by
   * neighbour advertisements. Default 0: only when it becomes the master.
   */
  garpRefresh?: number | undefined;
  /**
   * Always `running`. If a refresh finds another state (`stopped`, `disabled`, `left out`, `edited by hand`,
   * `written by an older version`), an update corrects it.
   */
  keepalived?: "running" | undefined;
}

/** Outputs of a VrrpInstance besides its arguments. */
export interface VrrpInstanceOutputs {
  /**
   * Whether the host has the first address: `master` or `backup`, at the last refresh or change. A new instance is a
   * backup for three advertisements. No drift.
   */
  readonly state: "master" | "backup";
  /**
   * Whether `pulumi-lvs failover` or `maintenance` keeps the host a backup of last resort, at the last refresh or
   * change. No drift.
   */
  readonly held: boolean;
}

const count = (most: number, least = 1) => z.number().int().min(least).max(most);

/** @internal */
export const key = z.strictObject({ interface: interfaceName, routerId: count(255) });

/** @internal */
export const config = z.strictObject({
  addresses: z
    .array(
      z.strictObject({
        address: hostAddress,
        prefixLength: count(128).optional(),
        interface: interfaceName.optional(),
      }),
    )
    .min(1)
    .max(100),
  priority: count(254).default(100),
  version: z.literal([2, 3]).default(3),
  advertInterval: z.number().min(0.01).max(255).optional(),
  peers: z.array(hostAddress).max(100).default([]),
  source: hostAddress.nullable().default(null),
  preempt: z.boolean().default(true),
  preemptDelay: count(1000, 0).default(0),
  trackInterfaces: z.array(interfaceName).max(100).default([]),
  trackServices: z.array(serviceReference).max(20).default([]),
  priorityDrop: count(253).default(50),
  garpRefresh: count(86400, 0).default(0),
  keepalived: z.literal("running").default("running"),
});

const isKey = (found: object): boolean => key.safeParse(found).success;

type Key = z.output<typeof key>;
type Config = z.output<typeof config>;

const instanceOf = (key: Key, { keepalived: _, ...rest }: Config) => ({ ...key, ...rest }) as VrrpSettings;

const interfacesOf = (key: Key, { addresses, trackInterfaces }: Config): string[] => [
  key.interface,
  ...addresses.flatMap(({ interface: name }) => name ?? []),
  ...trackInterfaces,
];

/** Addresses that keepalived moves between directors by VRRP, as its file shows. @internal */
export const vrrpInstance: Definition = define({
  kind: "VrrpInstance",
  key,
  config,
  rank: ranks.vrrp,

  // A deletion runs its step without a file, too, because keepalived may still run.
  around({ verb, key, config, change, changeOf }, make) {
    const there: Definition = { ...vrrpInstance, read: () => config };
    const { plan } = verb === "delete" ? changeOf(there, { ...key, ...config }) : change;
    return make({ ...change, plan });
  },

  defaults: (key, config) => fillVrrpDefaults(key, config),

  validate: (key, config) => validateVrrp({ ...key, ...config }),

  id: (key) => `vrrp/${key.interface}/${key.routerId}`,

  computed: {
    names: ["state", "held"],
    facts: (key) => [`vrrp:${instanceName(key)}`, "addresses"],
    read(facts, key, config) {
      // `get` gives the identity only.
      const file = facts.vrrp(instanceName(key));
      const { addresses } = (config as Partial<Config>).addresses
        ? config
        : (parseVrrp(file?.text ?? "") ?? { addresses: [] });
      const first = addresses[0]?.address;
      const isMaster = facts.addresses().some(({ local }) => local === first);
      return { state: isMaster ? "master" : "backup", held: file?.held === true };
    },
  },

  facts: (key) => [`vrrp:${instanceName(key)}`, "addresses"],

  clashes: (_key, { addresses }, facts) =>
    heldAddress(
      facts,
      addresses.map(({ address }) => address),
    ),

  refuses(key, want, have, facts) {
    if (have) return undefined;
    return interfacesOf(key, want)
      .map((name) => missingInterface(facts, name))
      .find((refusal) => refusal !== undefined);
  },

  read(facts, key, want) {
    const file = facts.vrrp(instanceName(key));
    if (!file) return undefined;
    const found = parseVrrp(file.text);
    const { interface: device, routerId, ...rest } = found ?? {};
    // Text of the file goes into state.
    const isOne = isKey({ interface: device, routerId }) && config.safeParse(rest).success;
    if (!isOne || device !== key.interface || routerId !== key.routerId)
      return { ...want, keepalived: "edited by hand" } as unknown as Config;
    const isCurrent = found !== undefined && printVrrp(found) === file.text;
    return {
      ...rest,
      keepalived: isCurrent ? file.state : "written by an older version",
    } as unknown as Config;
  },

  // The file survives a reboot by itself. The record keeps its owner, and the addresses that no other may declare.
  record: (_key, config) => [
    "vrrp",
    // `get` gives none.
    ...((config as Partial<Config>).addresses ?? []).map(({ address }) => address),
  ],

  plan(key, want, _have, { facts }) {
    const name = instanceName(key);
    const text = facts.vrrp(name)?.text;
    const put = (to: string): string[] => ["put_vrrp", name, to];
    const drop = ["drop_vrrp", name];
    if (!want) return [step(drop, text === undefined ? null : put(text))];
    const next = printVrrp(instanceOf(key, want));
    // Only keepalived itself is not as it must be.
    if (text === next) return [step(["run_vrrp", name], null)];
    return [step(put(next), text === undefined ? drop : put(text))];
  },
});
