import * as pulumi from "@pulumi/pulumi";
import type { RealServer, VirtualService } from "../../providers/index.js";
import { parseEndpoint } from "../../src/values/address.js";
import { withoutHost } from "../../src/values/service-address.js";
import type { ClusterArgs, ClusterChildren, ClusterOutputs, PoolMember } from "./args.js";
import type { Frontend, MadeFrontend } from "./frontend.js";
import { vipsOf } from "./model.js";
import { poolDrains } from "./pool-drains.js";
import { probes } from "./probe.js";

/**
 * Returns what is there before a probe. An instance comes after all on its director, and a director that is left out has
 * no new members. A VIP may be declared by another cluster, so members count, too.
 */
const beforeProbe = ({ last, pools, instance }: MadeFrontend) => [
  ...last,
  ...(instance ? [] : pools.flatMap(({ members }) => members)),
];

/** The base of the components, with their outputs. */
export abstract class Cluster extends pulumi.ComponentResource implements ClusterOutputs, ClusterChildren {
  declare readonly vips: pulumi.Output<string[]>;
  declare readonly services: pulumi.Output<string[]>;
  declare readonly members: pulumi.Output<PoolMember[]>;
  declare readonly health: ClusterOutputs["health"];
  declare readonly reasons: ClusterOutputs["reasons"];
  declare readonly drained: ClusterOutputs["drained"];
  declare readonly directors: ClusterOutputs["directors"];
  declare readonly virtualServices: VirtualService[];
  declare readonly realServers: RealServer[];

  /**
   * Makes the ends of drains, and the probes, which come after all else. Shows the outputs. The policy pack reads
   * `localnodes`: addresses by which a director is a server of its own. `pulumi-lvs up` reads `allowDown`.
   */
  protected finish(
    name: string,
    args: ClusterArgs,
    frontends: readonly MadeFrontend[],
    localnodes: readonly pulumi.Input<string>[] = [],
  ): void {
    poolDrains(frontends);
    probes(this, name, args, frontends.flatMap(beforeProbe));
    const { virtualServices, realServers, directors, ...outputs } = outputsOf(frontends);
    Object.assign(this, outputs, { virtualServices, realServers, directors });
    this.registerOutputs({
      ...outputs,
      ...(args.directors ? { directors } : {}),
      ...(args.allowDown ? { allowDown: true } : {}),
      ...(localnodes.length > 0 ? { localnodes } : {}),
    });
  }
}

const vipsIn = ({ scope, vips, instance }: Frontend): pulumi.Output<string[]> =>
  instance
    ? instance.addresses.apply((all) => all.slice(0, vipsOf(scope.args).length).map(({ address }) => address))
    : pulumi.output(vips.map(({ resource }) => resource.address));

/** Returns the outputs of a cluster, from each of its directors. */
function outputsOf(frontends: readonly Frontend[]): ClusterOutputs & ClusterChildren {
  const pools = frontends.flatMap((one) => one.pools);
  const usesVrrp = frontends.some(({ instance }) => instance);
  const monitored = pools.flatMap(({ virtualService, monitors }) =>
    monitors.map(({ service, health, reasons }) => ({
      service: usesVrrp ? virtualService.id : service,
      ...{ health, reasons },
    })),
  );
  const members = pools.map(({ virtualService, realServers, isPool }) =>
    isPool
      ? pooledMembers(virtualService)
      : pulumi.output(
          realServers.map(({ service, address, port, forwarding, weight }) => ({
            ...{ service, address, port, forwarding, weight },
          })),
        ),
  );
  return {
    virtualServices: pools.map(({ virtualService }) => virtualService),
    realServers: pools.flatMap(({ realServers }) => realServers),
    vips: frontends[0] ? vipsIn(frontends[0]) : pulumi.output([]),
    services: pulumi.output(pools.map(({ virtualService }) => virtualService.id)),
    health: pulumi
      .all(monitored)
      .apply((all) => Object.fromEntries(all.map(({ service, health }) => [service, health ?? {}]))),
    reasons: pulumi
      .all(monitored)
      .apply((all) => Object.fromEntries(all.map(({ service, reasons }) => [service, reasons ?? {}]))),
    drained: pulumi
      .all(pools.map(({ virtualService: { id, drained } }) => ({ id, drained })))
      .apply((all) => Object.fromEntries(all.map(({ id, drained }) => [id, drained ?? []]))),
    members: pulumi.all(members).apply((all) => {
      // Each director has the same ones, but for itself.
      const flat = all.flat();
      const firsts = new Map<string, (typeof flat)[number]>();
      for (const one of flat) {
        const key = `${one.service} ${one.address} ${one.port}`;
        if (!firsts.has(key)) firsts.set(key, one);
      }
      return usesVrrp ? [...firsts.values()] : flat;
    }),
    directors: pulumi
      .all(
        frontends.flatMap(({ scope, instance }) =>
          instance ? [{ name: scope.director.name as string, state: instance.state }] : [],
        ),
      )
      .apply((all) => Object.fromEntries(all.map(({ name, state }) => [name, state]))),
  };
}

/** Returns the servers of a service that owns its pool. */
const pooledMembers = ({ id, realServers }: VirtualService): pulumi.Output<PoolMember[]> =>
  pulumi.all([id, realServers]).apply(([text, pool]) =>
    Object.entries((pool ?? {}) as Record<string, { forwarding: string; weight: number }>).map(
      ([at, { forwarding, weight }]) => {
        const { address = at, port = 0 } = parseEndpoint(at) ?? {};
        return { service: withoutHost(text), address, port, forwarding, weight };
      },
    ),
  );
