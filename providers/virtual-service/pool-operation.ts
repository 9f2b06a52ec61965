import { HostError } from "../../src/errors.js";
import type { Change, Operation } from "../engine/change.js";
import type { ServerOperation } from "../real-server/drain.js";
import { realServer } from "../real-server/index.js";
import { type Config, keyOf, type Pool } from "./pool-fields.js";

/** The service of a pool. */
export interface Service {
  readonly id: string;
  /** The change of the service without its pool. */
  readonly change: Change;
}

/** An operation on a service that may have a pool. */
export type PoolOperation = Operation<unknown, { readonly realServers: Pool; readonly drainLater: boolean }>;

/** Returns an operation on one server of the pool, as a RealServer would have it. */
export function operationOn(
  operation: PoolOperation,
  service: string,
  verb: ServerOperation["verb"],
  at: string,
  config: Config,
): ServerOperation {
  const key = keyOf(service, at);
  const change = operation.changeOf(realServer, { ...key, ...config });
  const was = operation.was?.realServers?.[at];
  const facts = [...realServer.facts(key, config), ...change.facts];
  return { ...operation, verb, key, config, was, change, facts };
}

/** Waits for all at the same time. Fails if one fails, after the others have ended. */
export async function allOf<T>(
  servers: readonly (readonly [string, ServerOperation])[],
  wait: (operation: ServerOperation) => Promise<T>,
): Promise<Map<string, T>> {
  const results = await Promise.allSettled(servers.map(([, one]) => wait(one)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return new Map(servers.map(([at], i) => [at, (results[i] as PromiseFulfilledResult<T>).value]));
}

/** Adds the server to an error about it. */
export function named<T>(at: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new HostError(error.host, `${at}: ${error.reason}`, error.remedy);
  }
}

/** The config of a server that nothing has declared, for its deletion. */
export const undeclared = realServer.config.parse({}) as Config;
