import * as pulumi from "@pulumi/pulumi";
import type { RealServer, VirtualService } from "../../providers/index.js";
import type {
  ClusterArgs,
  ClusterChildren,
  ClusterOutputs,
  Member,
  RealServerMember,
  VipArgs,
} from "./args.js";

/** The base of the components, with their outputs. */
export abstract class Cluster extends pulumi.ComponentResource implements ClusterOutputs, ClusterChildren {
  declare readonly vips: pulumi.Output<string[]>;
  declare readonly services: pulumi.Output<string[]>;
  declare readonly members: pulumi.Output<Member[]>;
  declare readonly health: ClusterOutputs["health"];
  declare readonly drained: ClusterOutputs["drained"];
  declare readonly directors: ClusterOutputs["directors"];
  declare readonly virtualServices: VirtualService[];
  declare readonly realServers: RealServer[];

  /** Shows the outputs. The policy pack reads `localnodes`: addresses by which a director is a server of its own. */
  protected show(
    { directors: args }: ClusterArgs,
    { virtualServices, realServers, directors, ...outputs }: ClusterOutputs & ClusterChildren,
    localnodes: readonly pulumi.Input<string>[] = [],
  ): void {
    Object.assign(this, outputs, { virtualServices, realServers, directors });
    this.registerOutputs({
      ...outputs,
      ...(args ? { directors } : {}),
      ...(localnodes.length > 0 ? { localnodes } : {}),
    });
  }
}

/** Returns the component's options that pass the cluster's `persist` to each of its resources. */
export const persisting = (
  { persist }: ClusterArgs,
  opts: pulumi.ComponentResourceOptions = {},
): pulumi.ComponentResourceOptions => {
  if (persist === undefined) return opts;
  const tell: pulumi.ResourceTransformation = ({ type, props, opts: own }) =>
    type.startsWith("pulumi-nodejs:dynamic/lvs:")
      ? { props: { ...props, persist: props.persist ?? persist }, opts: own }
      : undefined;
  return { ...opts, transformations: [...(opts.transformations ?? []), tell] };
};

/** Returns a member's own `persist` for the resources on its machine. Without one the cluster's applies. */
export const lasting = ({ persist }: RealServerMember): { persist?: boolean } =>
  persist === undefined ? {} : { persist };

/** Returns the `shared` of the resources of a VIP. */
export const sharing = ({ shared }: Pick<VipArgs, "shared">): { shared?: pulumi.Input<boolean> } =>
  shared === undefined ? {} : { shared };

/** Returns the `adopt` of each resource of a cluster. */
export const adoption = ({ adopt }: ClusterArgs): { adopt?: boolean } =>
  adopt === undefined ? {} : { adopt };
