import type { Connection } from "../src/connection.js";
import type { Host } from "../src/host.js";

/** What a question takes to be asked. */
export interface Ask {
  /** Of the resource: where it is asked. */
  readonly connection: Connection;
  ask(connection: Connection, ...queries: Parameters<Host["ask"]>): ReturnType<Host["ask"]>;
}
