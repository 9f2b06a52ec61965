/** The exports of `import … from "pulumi-lvs"`. */

import "./stacks/node-version.js";

export type { ArpSuppressionArgs } from "./providers/arp-suppression.js";
export type { ConnectionInput } from "./providers/engine/resource-class.js";
export type { HealthMonitorArgs, HealthMonitorState } from "./providers/health-monitor/index.js";
export type { SorryServer } from "./providers/health-monitor/sorry-server.js";
export type { HostProbeArgs } from "./providers/host-probe.js";
export type { HostRouteArgs } from "./providers/host-route.js";
export * from "./providers/index.js";
export type { IpForwardingArgs } from "./providers/ip-forwarding.js";
export type { IpvsTimeoutsArgs } from "./providers/ipvs-timeouts.js";
export type { KernelModuleArgs } from "./providers/kernel-module.js";
export type { PoolDrainArgs } from "./providers/pool-drain.js";
export type {
  Drain,
  DrainOutcome,
  RealServerOutputs,
  VirtualServiceOutputs,
} from "./providers/real-server/drain-fields.js";
export type { PoolServer, RealServerArgs } from "./providers/real-server/index.js";
export type { ProbeArp, ProbeSpread, ServiceProbeArgs } from "./providers/service-probe/index.js";
export type { SyncDaemonArgs } from "./providers/sync-daemon.js";
export type { SysctlArgs } from "./providers/sysctl.js";
export type { VirtualAddressArgs, VirtualAddressOutputs } from "./providers/virtual-address.js";
export type { Persistence, VirtualServiceArgs } from "./providers/virtual-service/index.js";
export type {
  VrrpAddressArgs,
  VrrpInstanceArgs,
  VrrpInstanceOutputs,
} from "./providers/vrrp-instance/index.js";
export type { NotRestored } from "./rollback/deployment.js";
export type { RollbackResult } from "./rollback/restore.js";
export { NothingToRollBackError, type RollBackOptions, rollBack } from "./rollback/roll-back.js";
export {
  type RolledBack,
  type UpdateResult,
  type UpOrRollBackOptions,
  upOrRollBack,
} from "./rollback/up-or-roll-back.js";
export type { ServerState } from "./src/facts/health.js";
export type { Connection, Endpoint } from "./src/ssh/connection.js";
export type { Conflict } from "./src/values/conflicts.js";
export type { HealthCheck } from "./src/values/health-check.js";
export type {
  ClusterArgs,
  ClusterChildren,
  ClusterOutputs,
  MemberArgs,
  PoolMember,
  ProbeArgs,
  RealServerMember,
  ServiceArgs,
  VipArgs,
} from "./stacks/cluster/args.js";
export type {
  DirectorArgs,
  DirectorMember,
  GatewayArgs,
  SyncArgs,
  VrrpArgs,
} from "./stacks/cluster/directors/args.js";
export type { PackagesArgs } from "./stacks/cluster/packages.js";
export { parseClusters, requireClusters } from "./stacks/config.js";
export { DrCluster, type DrClusterArgs } from "./stacks/dr-cluster.js";
export { NatCluster, type NatClusterArgs } from "./stacks/nat-cluster.js";
