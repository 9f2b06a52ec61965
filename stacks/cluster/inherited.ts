import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs, RealServerMember, VipArgs } from "./args.js";

// Fields that resources have from their cluster, VIP or machine.

/** Returns the component's options that pass the cluster's `persist` to each of its resources. */
export const persisting = (
  { persist }: ClusterArgs,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions => {
  if (persist === undefined) return opts;
  const inherit: pulumi.ResourceTransformation = ({ type, props, opts: own }) =>
    type.startsWith("pulumi-nodejs:dynamic/lvs:")
      ? { props: { ...props, persist: props.persist ?? persist }, opts: own }
      : undefined;
  return { ...opts, transformations: [...(opts.transformations ?? []), inherit] };
};

/** Returns a member's own `persist` for the resources on its machine. Without one the cluster's applies. */
export const persistOf = ({ persist }: RealServerMember): { persist?: boolean } =>
  persist === undefined ? {} : { persist };

/** Returns the `shared` of the resources of a VIP. */
export const sharing = ({ shared }: Pick<VipArgs, "shared">): { shared?: pulumi.Input<boolean> } =>
  shared === undefined ? {} : { shared };

/** Returns the `adopt` of each resource of a cluster. */
export const adoption = ({ adopt }: ClusterArgs): { adopt?: boolean } =>
  adopt === undefined ? {} : { adopt };
