import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { HostProbe } from "../../../providers/index.js";
import type { ClusterArgs } from "../args.js";
import { triggersOf } from "../probe.js";
import { scopesOf } from "../scope.js";

/**
 * Makes a probe of each of several directors, which looks again after each change of the cluster's arguments. All
 * else but packages comes after them. So nothing of the cluster is changed while a director is down, unless that is allowed.
 */
export function hostProbes(parent: pulumi.Resource, name: string, args: ClusterArgs): pulumi.Resource[] {
  const scopes = args.directors === undefined || args.allowDown ? [] : scopesOf(parent, name, args);
  if (scopes.length < 2) return [];
  const triggers = pulumi
    .output(triggersOf(args))
    .apply((known) => createHash("sha256").update(JSON.stringify(known)).digest("hex"));
  return scopes.map((scope) => scope.make(HostProbe, "probe", { triggers }, []));
}
