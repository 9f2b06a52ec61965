import * as pulumi from "@pulumi/pulumi";
import { DrCluster, NatCluster, parseClusters } from "pulumi-lvs";

// The program of `pulumi up` in this repository: whatever clusters the environment's Pulumi.<stack>.yaml describes.
const parsed = parseClusters(new pulumi.Config().requireObject("clusters"));
if ("mistakes" in parsed) {
  throw new pulumi.RunError(
    `the configuration is not right:\n${parsed.mistakes.map((line) => `  ${line}`).join("\n")}`,
  );
}

/** Stack output: VIPs, services, members, health and drained servers of each cluster. */
export const clusters = Object.fromEntries(
  Object.entries(parsed.clusters).map(([name, { kind, ...args }]) => {
    const cluster = kind === "dr" ? new DrCluster(name, args as never) : new NatCluster(name, args as never);
    const { vips, services, members, health, drained } = cluster;
    return [name, { vips, services, members, health, drained }];
  }),
);
