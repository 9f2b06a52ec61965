import { DrCluster, NatCluster, requireClusters } from "pulumi-lvs";

// The program behind clusters.js. It makes the clusters in the environment's Pulumi.<stack>.yaml.

/** Stack output: VIPs, services, members, health and drained servers of each cluster. */
export const clusters = Object.fromEntries(
  Object.entries(requireClusters()).map(([name, { kind, ...args }]) => {
    const cluster = kind === "dr" ? new DrCluster(name, args) : new NatCluster(name, args);
    const { vips, services, members, health, drained } = cluster;
    return [name, { vips, services, members, health, drained }];
  }),
);
