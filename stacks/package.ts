/** What `import … from "pulumi-lvs"` gives. */

export type { ArpSuppressionArgs } from "../providers/arp-suppression.js";
export type { ConnectionInput } from "../providers/dynamic.js";
export type { HealthMonitorArgs, HealthMonitorState } from "../providers/health-monitor.js";
export type { HostRouteArgs } from "../providers/host-route.js";
export * from "../providers/index.js";
export type { IpForwardingArgs } from "../providers/ip-forwarding.js";
export type { IpvsTimeoutsArgs } from "../providers/ipvs-timeouts.js";
export type { KernelModuleArgs } from "../providers/kernel-module.js";
export type { RealServerArgs } from "../providers/real-server.js";
export type {
  Drain,
  DrainOutcome,
  RealServerOutputs,
  VirtualServiceOutputs,
} from "../providers/real-server-drain.js";
export type { ProbeArp, ProbeSpread, ServiceProbeArgs } from "../providers/service-probe.js";
export type { SorryServer } from "../providers/sorry-server.js";
export type { SyncDaemonArgs } from "../providers/sync-daemon.js";
export type { SysctlArgs } from "../providers/sysctl.js";
export type { VirtualAddressArgs } from "../providers/virtual-address.js";
export type { Persistence, VirtualServiceArgs } from "../providers/virtual-service.js";
export type { Connection, Endpoint } from "../src/connection.js";
export type { HealthCheck } from "../src/health/check.js";
export type { ServerState } from "../src/health/status.js";
export type { Rival } from "../src/rivals.js";
export type {
  ClusterArgs,
  ClusterOutputs,
  DirectorArgs,
  Member,
  ProbeArgs,
  RealServerMember,
  ServiceArgs,
  VipArgs,
} from "./cluster.js";
export { parseClusters } from "./config.js";
export { DrCluster, type DrClusterArgs } from "./dr-cluster.js";
export { NatCluster, type NatClusterArgs } from "./nat-cluster.js";
export type { PackagesArgs } from "./packages.js";
export { requireClusters } from "./require-clusters.js";
export type { Left } from "./rollback/deployment.js";
export { NothingToTakeBack, type RollBackOptions, rollBack } from "./rollback/roll-back.js";
export type { TakenBack } from "./rollback/take-back.js";
export {
  type Outcome,
  type RolledBack,
  type UpOrRollBackOptions,
  upOrRollBack,
} from "./rollback/up-or-roll-back.js";
