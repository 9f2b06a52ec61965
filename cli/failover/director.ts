import type { FindHost } from "../../providers/engine/runner.js";
import { factFailure, HostError } from "../../src/errors.js";
import { FactError, type FactName, type Facts } from "../../src/facts/facts.js";
import type { Health } from "../../src/facts/health.js";
import type { IpvsTable } from "../../src/facts/ipvs-table.js";
import { readingJob } from "../../src/host/reading.js";
import { plainText } from "../../src/values/foreign.js";
import { parseVrrp, type VrrpSettings } from "../../src/vrrp/instance.js";
import type { Group, Instance } from "./instances.js";

/** A director whose keepalived runs the instance. */
export interface Known {
  readonly instance: Instance;
  readonly settings: VrrpSettings;
  readonly isHeld: boolean;
  /** The addresses of the instance that the host has. */
  readonly has: readonly string[];
  readonly table: IpvsTable;
  readonly health: Health;
  /** Connections in the host's table. */
  readonly active: number;
  readonly inactive: number;
}

/** A director that is not known: it does not answer, or does not run the instance as its file should say. */
interface NotKnown {
  readonly instance: Instance;
  readonly trouble: string;
  /** Whether keepalived runs there, so that it may take the addresses. */
  readonly mayTake?: boolean;
}

export type Director = Known | NotKnown;

export const isKnown = (one: Director): one is Known => !("trouble" in one);

export const hostOf = ({ instance }: Director): string => instance.host;

const hasOf = (facts: Facts, { addresses }: VrrpSettings): string[] => {
  const there = new Set(facts.addresses().map(({ interface: device, local }) => `${local} ${device}`));
  return addresses.flatMap(({ address, interface: device }) =>
    there.has(`${address} ${device}`) ? [address] : [],
  );
};

function seenOf(instance: Instance, facts: Facts): Director {
  const file = facts.vrrp(instance.name);
  const settings = parseVrrp(file?.text ?? "");
  const mend = "run pulumi up --refresh first";
  if (!file) return { instance, trouble: `it has no file of the instance; ${mend}` };
  const mayTake = file.state === "running" || file.state === "disabled";
  if (file.state !== "running")
    return { instance, mayTake, trouble: `keepalived is ${file.state} there; ${mend}` };
  if (!settings)
    return { instance, mayTake, trouble: `the file of the instance was changed by hand; ${mend}` };
  const counts = [...facts.connections().values()].flatMap((servers) => [...servers.values()]);
  return {
    ...{ instance, settings, isHeld: file.held, has: hasOf(facts, settings) },
    ...{ table: facts.ipvs(), health: facts.health() },
    active: counts.reduce((sum, { active }) => sum + active, 0),
    inactive: counts.reduce((sum, { inactive }) => sum + inactive, 0),
  };
}

/** Reads a director. One that does not answer is not known. */
async function read(find: FindHost, instance: Instance): Promise<Director> {
  const { connection, host, name } = instance;
  try {
    const facts = [`vrrp:${name}`, "addresses", "connections", "health", "table"] as const;
    return seenOf(instance, (await find(connection, host).submit(readingJob("failover", facts))).facts);
  } catch (error) {
    const trouble = error instanceof FactError ? factFailure(host, error) : error;
    if (!(trouble instanceof HostError)) throw error;
    const { reason, remedy } = trouble;
    return { instance, trouble: plainText(remedy ? `${reason}; ${remedy}` : reason, 500) };
  }
}

/** Reads the directors of a group, all at once. */
export const directorsOf = (find: FindHost, { instances }: Group): Promise<Director[]> =>
  Promise.all(instances.map((one) => read(find, one)));

/** Returns what the facts of a director's host say, or undefined if it does not answer. */
export async function answerOf<Answer>(
  find: FindHost,
  { connection, host }: Instance,
  names: readonly FactName[],
  answer: (facts: Facts) => Answer,
): Promise<Answer | undefined> {
  try {
    const { facts } = await find(connection, host).submit(readingJob("failover", names));
    return answer(facts);
  } catch (error) {
    if (error instanceof HostError || error instanceof FactError) return undefined;
    throw error;
  }
}

/** Returns how many addresses of the instance a director has now, or undefined if it does not answer. */
export const countOn = (find: FindHost, { instance, settings }: Known): Promise<number | undefined> =>
  answerOf(find, instance, ["addresses"], (facts) => hasOf(facts, settings).length);
