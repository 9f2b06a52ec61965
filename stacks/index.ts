import { DrCluster, NatCluster, requireClusters } from "pulumi-lvs";

// The program behind clusters.js. It makes the clusters in the environment's Pulumi.<stack>.yaml.

/** Stack output: VIPs, services, members, health with its reasons, and drained servers of each cluster, and who has the VIPs. */
export const clusters = Object.fromEntries(
  Object.entries(requireClusters()).map(([name, { kind, ...args }]) => {
    const cluster = kind === "dr" ? new DrCluster(name, args) : new NatCluster(name, args);
    const { vips, services, members, health, reasons, drained, directors } = cluster;
    const all = { vips, services, members, health, reasons, drained };
    return [name, args.directors ? { ...all, directors } : all];
  }),
);
