import { isEqual } from "../../providers/engine/difference.js";
import { type Bag, connectionOf, hasUnknown } from "../../providers/engine/inputs.js";
import { type Deployment, isOurs, oursOf } from "../../rollback/deployment.js";
import { inClear } from "../../rollback/secrets.js";
import { HostError, isDown } from "../../src/errors.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { openShell } from "../../src/ssh/open-shell.js";
import type { Group } from "../failover/instances.js";
import { type ClustersPreview, hasMask } from "../plan/preview.js";
import { revealed } from "../plan/revealed.js";

/** Why a director does not answer. */
export interface Silence {
  readonly why: string;
  /** False if it refuses the login, for example: a retry does not mend that. */
  readonly isDown: boolean;
}

/** The directors that do not answer, by host. */
export type Silent = ReadonlyMap<string, Silence>;

/** Returns the reason of an error and what to do, without its host. */
export const whyOf = ({ reason, remedy }: HostError): string => (remedy ? `${reason}; ${remedy}` : reason);

/** The limits of the wait for directors. */
interface Wait {
  readonly log: (line: string) => void;
  /** Seconds after which a line names the directors that the wait is for. */
  readonly quiet?: number;
  /** Seconds after which a director counts as down, whatever its connection allows. */
  readonly most?: number;
}

/** Tries to reach a director. Returns why it does not answer, or undefined if it does. */
async function silenceOf(connection: Connection, { most = 60 }: Wait): Promise<Silence | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<Silence>((resolve) => {
    timer = setTimeout(() => resolve({ why: `no answer within ${most} s`, isDown: true }), most * 1000);
  });
  try {
    return (
      (await Promise.race([openShell(connection).then((shell) => shell.close()), timedOut])) ?? undefined
    );
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { why: whyOf(error), isDown: isDown(error) };
  } finally {
    clearTimeout(timer);
  }
}

async function silentAmong(
  hosts: readonly string[],
  silenceAt: (host: string) => Promise<Silence | undefined>,
  { log, quiet = 5 }: Wait,
): Promise<Silent> {
  const waiting = new Set(hosts);
  const timer = setTimeout(() => log(`waiting for ${[...waiting].join(" and ")} to answer`), quiet * 1000);
  try {
    const found = await Promise.all(
      hosts.map(async (host) => {
        const silence = await silenceAt(host);
        waiting.delete(host);
        return [host, silence] as const;
      }),
    );
    return new Map(found.flatMap(([host, silence]) => (silence ? [[host, silence] as const] : [])));
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the directors that do not answer by the connection that the state has. */
export function silentIn(groups: readonly Group[], wait: Wait): Promise<Silent> {
  const all = groups.filter(({ instances }) => instances.length > 1).flatMap(({ instances }) => instances);
  const connections = new Map(all.map(({ host, connection }) => [host, connection]));
  const silenceAt = (host: string) => silenceOf(connections.get(host) as Connection, wait);
  return silentAmong([...connections.keys()], silenceAt, wait);
}

/** Returns the connection of a host in the program, or undefined if it is not known, or as in the state. */
function newConnection({ steps }: ClustersPreview, host: string): Connection | undefined {
  const changed = steps.flatMap(({ op, oldState, newState }) => {
    if (!oldState?.inputs || !newState?.inputs || !isOurs(newState)) return [];
    const [was, is] = [connectionOf(oldState.inputs), connectionOf(newState.inputs)];
    return typeof is?.host === "string" && hostLabel(is) === host ? [{ op, was, is }] : [];
  });
  const [first] = changed;
  // A changed connection shows in each resource of the host.
  if (!first || hasUnknown(first.is) || changed.some(({ op }) => op === "same")) return undefined;
  return hasMask(first.is) || !isEqual(first.was, first.is) ? first.is : undefined;
}

/**
 * Tries to reach silent directors by another connection, if the program has one. Returns those that still do not answer.
 * Leaves out directors that refuse the old secret if the preview masks the new one: only the update can use the new one.
 */
export function silentByProgram(
  silent: Silent,
  preview: ClustersPreview,
  before: Deployment,
  wait: Wait,
): Promise<Silent> {
  const known = [...oursOf(before).values()].flatMap(({ outputs }): Connection[] => {
    const connection = connectionOf(inClear(outputs ?? {}) as Bag);
    return typeof connection?.host === "string" ? [connection] : [];
  });
  const silenceAt = async (host: string) => {
    const silence = silent.get(host);
    const connection = newConnection(preview, host);
    if (!connection) return silence;
    const found = await silenceWith(connection, known, wait).catch((error: unknown) => {
      if (!(error instanceof HostError)) throw error;
      return silence;
    });
    return hasMask(connection) && found?.isDown === false ? undefined : found;
  };
  return silentAmong([...silent.keys()], silenceAt, wait);
}

/** @throws HostError if the state does not have the secrets of the connection. */
const silenceWith = async (connection: Connection, known: readonly Connection[], wait: Wait) =>
  silenceOf(revealed(connection, known), wait);
