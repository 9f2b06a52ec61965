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
export type PoolOperation = Operation<unknown, { readonly realServers: Pool }>;

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

/** The config of a server that nothing has declared, for its deletion. */
export const undeclared = realServer.config.parse({}) as Config;
