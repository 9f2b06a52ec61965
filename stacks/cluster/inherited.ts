import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./args.js";

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
