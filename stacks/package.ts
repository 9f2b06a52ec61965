/** What `import … from "pulumi-lvs"` gives. */

export type { ConnectionInput } from "../providers/dynamic.js";
export * from "../providers/index.js";
export type { Connection, Endpoint } from "../src/connection.js";
