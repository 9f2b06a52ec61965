import type { Bag } from "../../providers/engine/inputs.js";
import type { Entry } from "../../rollback/deployment.js";

export const stack = "urn:pulumi:prod::lvs::pulumi:pulumi:Stack::lvs-prod";
export const cluster = "urn:pulumi:prod::lvs::lvs:index:DrCluster::web";

/** A VrrpInstance of the cluster, as the state has it. */
export const entry = (name: string, outputs: Bag): Entry => ({
  urn: `urn:pulumi:prod::lvs::lvs:index:DrCluster$pulumi-nodejs:dynamic/lvs:VrrpInstance::${name}`,
  type: "pulumi-nodejs:dynamic/lvs:VrrpInstance",
  parent: cluster,
  outputs,
});
