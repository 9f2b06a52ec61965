/** What `import … from "pulumi-lvs"` gives. */

export type { ConnectionInput } from "../providers/dynamic.js";
export * from "../providers/index.js";
export type { Drain } from "../providers/real-server-drain.js";
export type { Connection, Endpoint } from "../src/connection.js";
export type { ClusterArgs, DirectorArgs, Member, RealServerMember, ServiceArgs, VipArgs } from "./cluster.js";
export { parseClusters } from "./config.js";
export { DrCluster, type DrClusterArgs } from "./dr-cluster.js";
export { NatCluster, type NatClusterArgs } from "./nat-cluster.js";
export type { Left } from "./rollback/deployment.js";
export { NothingToTakeBack, type RollBackOptions, rollBack } from "./rollback/roll-back.js";
export type { TakenBack } from "./rollback/take-back.js";
export {
  type Outcome,
  type RolledBack,
  type UpOrRollBackOptions,
  upOrRollBack,
} from "./rollback/up-or-roll-back.js";
