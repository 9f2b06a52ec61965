import type { Host } from "../../src/host/host.js";
import type { Connection } from "../../src/ssh/connection.js";

/** What a question takes to be asked. */
export interface Ask {
  /** Of the resource: where it is asked. */
  readonly connection: Connection;
  ask(connection: Connection, ...queries: Parameters<Host["ask"]>): ReturnType<Host["ask"]>;
}
