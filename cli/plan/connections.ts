import type { Bag } from "../../providers/engine/inputs.js";
import type { Connections } from "../../src/facts/connections.js";
import { endpoint } from "../../src/values/address.js";
import { parseService } from "../../src/values/service-address.js";
import type { DeclaredHost } from "./declared-host.js";

/** What a change means for connections that are open now. */
export interface OpenConnections {
  /** Connections that use the thing now. */
  readonly open: number;
  /** Those that end by the change, or that it waits for. */
  readonly affected: number;
  readonly effect: "edited in place" | "quiesced" | "drains" | "reset" | "cut off";
  /** `drains 37, at most 60 s` */
  readonly text: string;
}

/** A change of a thing. */
export interface Changing {
  readonly kind: string;
  readonly op: "create" | "update" | "delete";
  readonly isReplaced: boolean;
  /** The id without the host. */
  readonly id: string;
  readonly key: Bag;
  readonly config: Bag;
  /** The config before an update. */
  readonly was: Bag;
}

/** A real server of a service. */
export interface User {
  readonly service: string;
  readonly server: string;
}

const isUdp = (service: string): boolean => service.startsWith("udp:");

type Pool = Record<string, { weight: number; drain?: { timeout?: number } | null }>;

/** Returns the servers that an update takes out of a pool, or else those that it quiesces, with their configs. */
function goneOf({ kind, op, config, was }: Changing): { servers: Pool; op: Changing["op"] } | undefined {
  const [before, after] = [was.realServers, config.realServers] as (Pool | null | undefined)[];
  if (kind !== "VirtualService" || op !== "update" || !before || !after) return undefined;
  const of = (pool: Pool, isGone: (at: string) => boolean) =>
    Object.fromEntries(Object.entries(pool).filter(([at]) => isGone(at)));
  const left = of(before, (at) => !after[at]);
  const quiet = of(
    after,
    (at) => after[at]?.weight === 0 && before[at] !== undefined && before[at].weight !== 0,
  );
  if (Object.keys(left).length > 0) return { servers: left, op: "delete" };
  return Object.keys(quiet).length > 0 ? { servers: quiet, op } : undefined;
}

/** Returns the servers whose connections depend on a thing in the plan's table, or undefined if it can have none. */
export function usersOf(change: Changing, { table }: DeclaredHost): User[] | undefined {
  const { kind, op, id, key } = change;
  const all = (service: string) =>
    [...(table.get(service)?.realServers.keys() ?? [])].map((server) => ({ service, server }));
  if (kind === "RealServer") {
    const service = String(key.service);
    const server = endpoint(String(key.address), Number(key.port));
    return table.get(service)?.realServers.has(server) ? [{ service, server }] : undefined;
  }
  const gone = goneOf(change)?.servers;
  if (kind === "VirtualService")
    return table.has(id) ? all(id).filter(({ server }) => !gone || Object.hasOwn(gone, server)) : undefined;
  if (kind !== "VirtualAddress" || op !== "delete") return undefined;
  const services = [...table.keys()].filter((one) => {
    const parsed = parseService(one);
    return parsed && "address" in parsed && parsed.address === key.address;
  });
  return services.length > 0 ? services.flatMap(all) : undefined;
}

/** Returns the number of connections to servers. */
export const openOf = (users: readonly User[], connections: Connections): number =>
  users.reduce((sum, { service, server }) => {
    const found = connections.get(service)?.get(server);
    return sum + ((isUdp(service) ? found?.inactive : found?.active) ?? 0);
  }, 0);

/** Returns what a change means for its connections. `waits` says that it drains, `resets` that the kernel resets. */
export function effectOf(change: Changing, open: number, waits: boolean, resets: boolean): OpenConnections {
  const { kind, isReplaced, id, key, config, was } = change;
  const gone = goneOf(change);
  const op = gone?.op ?? change.op;
  const pool = gone?.servers ?? ((config.realServers ?? {}) as Pool);
  const limits = [config as Pool[string], ...Object.values(pool)].flatMap(
    ({ drain }) => drain?.timeout ?? [],
  );
  const timeout = limits.length > 0 ? Math.max(...limits) : undefined;
  if (waits && timeout !== undefined)
    return { ...{ open, affected: open, effect: "drains" }, text: `drains ${open}, at most ${timeout} s` };
  if (op === "delete") {
    // Others than those of TCP get no answer until their clients give up, and so does all to an address that is gone.
    const isReset = resets && kind !== "VirtualAddress" && !isUdp(String(key.service ?? id));
    const effect = isReset ? "reset" : "cut off";
    const verb = isReplaced ? "replaced" : "deleted";
    const text = `${verb}: ${open} ${open === 1 ? "is" : "are"} ${effect}`;
    return { open, affected: open, effect, text };
  }
  if (gone || (kind === "RealServer" && config.weight === 0 && was.weight !== 0))
    return {
      ...{ open, affected: 0, effect: "quiesced" },
      text: `quiesced: ${open} continue, and no new ones come`,
    };
  return { ...{ open, affected: 0, effect: "edited in place" }, text: "edited in place, 0 affected" };
}
