import { isDeepStrictEqual } from "node:util";
import { type Bag, connectionOf, hasUnknown, plain } from "../../providers/engine/inputs.js";
import { type Deployment, oursOf } from "../../rollback/deployment.js";
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
  /** False if it refuses the login, for example: another attempt cannot mend that. */
  readonly isDown: boolean;
}

/** The directors that do not answer, by host. */
export type Silent = ReadonlyMap<string, Silence>;

/** Returns the reason of an error and what to do, without its host. */
export const whyOf = ({ reason, remedy }: HostError): string => (remedy ? `${reason}; ${remedy}` : reason);

/** Tries to reach a director. Returns why it does not answer, or undefined if it does. */
async function silenceOf(connection: Connection): Promise<Silence | undefined> {
  try {
    (await openShell(connection)).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return { why: whyOf(error), isDown: isDown(error) };
  }
}

async function silentAmong(
  hosts: readonly string[],
  silenceAt: (host: string) => Promise<Silence | undefined>,
): Promise<Silent> {
  const found = await Promise.all(hosts.map(async (host) => [host, await silenceAt(host)] as const));
  return new Map(found.flatMap(([host, silence]) => (silence ? [[host, silence] as const] : [])));
}

/** Returns the directors that do not answer by the connection that the state has. */
export function silentIn(groups: readonly Group[]): Promise<Silent> {
  const all = groups.filter(({ instances }) => instances.length > 1).flatMap(({ instances }) => instances);
  const connections = new Map(all.map(({ host, connection }) => [host, connection]));
  return silentAmong([...connections.keys()], (host) => silenceOf(connections.get(host) as Connection));
}

/** Returns the connection of a host in the program, or undefined if it is not known, or as in the state. */
function newConnection({ steps }: ClustersPreview, host: string): Connection | undefined {
  const changed = steps.flatMap(({ op, oldState, newState }) => {
    const [was, is] = [oldState, newState].map((entry) => entry?.inputs && connectionOf(entry.inputs));
    return was && is && typeof is.host === "string" && hostLabel(is) === host ? [{ op, was, is }] : [];
  });
  const [first] = changed;
  // Another connection changes each resource of the host.
  if (!first || hasUnknown(first.is) || changed.some(({ op }) => op === "same")) return undefined;
  return hasMask(first.is) || !isDeepStrictEqual(plain(first.was), plain(first.is)) ? first.is : undefined;
}

/**
 * Tries to reach silent directors by another connection, if the program has one. Returns those that still do not answer.
 * Without the ones whose new secret a preview masks, if they refuse the former one: only the update can tell.
 */
export function silentByProgram(
  silent: Silent,
  preview: ClustersPreview,
  before: Deployment,
): Promise<Silent> {
  const known = [...oursOf(before).values()].flatMap(({ outputs }): Connection[] => {
    const connection = connectionOf(inClear(outputs ?? {}) as Bag);
    return typeof connection?.host === "string" ? [connection] : [];
  });
  return silentAmong([...silent.keys()], async (host) => {
    const silence = silent.get(host);
    const connection = newConnection(preview, host);
    if (!connection) return silence;
    const found = await silenceWith(connection, known).catch((error: unknown) => {
      if (!(error instanceof HostError)) throw error;
      return silence;
    });
    return hasMask(connection) && found?.isDown === false ? undefined : found;
  });
}

/** @throws HostError if the state does not have the secrets of the connection. */
const silenceWith = async (connection: Connection, known: readonly Connection[]) =>
  silenceOf(revealed(connection, known));
