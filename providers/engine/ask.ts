import type { Host } from "../../src/host/host.js";
import type { Connection } from "../../src/ssh/connection.js";

/** The means by which a question sends its queries. */
export interface Ask {
  /** The connection of the resource, whose host sends the queries. */
  readonly connection: Connection;
  ask(connection: Connection, ...queries: Parameters<Host["ask"]>): ReturnType<Host["ask"]>;
}
