import * as pulumi from "@pulumi/pulumi";
import { VirtualAddress, VrrpInstance } from "../../providers/index.js";
import type { ClusterChildren, ClusterOutputs } from "./args.js";
import { adoption } from "./component.js";
import { instanceOf } from "./directors/vrrp.js";
import { vipsOf } from "./model.js";
import type { Vip } from "./places.js";
import { membersOf } from "./pool.js";
import type { MadePool } from "./services.js";
import { once } from "./shared.js";
import type { Site } from "./site.js";

/** A director's services and what clients reach them by. */
export interface Front {
  readonly site: Site;
  readonly pools: readonly MadePool[];
  /** The VIPs on the director, if VRRP does not move them. */
  readonly vips: readonly { vip: Vip; resource: VirtualAddress }[];
  readonly instance: VrrpInstance | undefined;
}

/** Lets clients in: by the VIPs, or by the VRRP instance that has them in turn. It comes after all services. */
export function front(parent: pulumi.ComponentResource, site: Site, pools: readonly MadePool[]): Front {
  const { args, director, named, options } = site;
  const common = { connection: director.fields.connection, ...adoption(args) };
  const dependsOn = pools.flatMap(({ virtualService, realServers, monitors }) => [
    virtualService,
    ...realServers,
    ...monitors,
  ]);
  const opts = { parent, dependsOn };
  if (site.floats) {
    const tracked = pools.filter(({ isTracked }) => isTracked);
    const fields = {
      ...common,
      ...instanceOf(args, vipsOf(args), director),
      ...(tracked.length > 0
        ? { trackServices: tracked.map(({ virtualService }) => virtualService.id) }
        : {}),
    };
    return { site, pools, vips: [], instance: new VrrpInstance(named("vrrp"), fields as never, opts) };
  }
  const { interface: device, connection } = director.fields;
  const vips = vipsOf(args).map((vip) => {
    const { name: _, ...details } = vip.vip;
    const part = `vip-${vip.name}`;
    const make = () =>
      new VirtualAddress(named(part), { ...common, interface: device, ...details }, options(part, opts));
    return { vip, resource: once(VirtualAddress, [connection, device, details.address], make) };
  });
  return { site, pools, vips, instance: undefined };
}

/** Returns the resources that let clients in. */
export const doorsOf = ({ vips, instance }: Front): pulumi.Resource[] =>
  instance ? [instance] : vips.map(({ resource }) => resource);

const vipsIn = ({ site, vips, instance }: Front): pulumi.Output<string[]> =>
  instance
    ? instance.addresses.apply((all) => all.slice(0, vipsOf(site.args).length).map(({ address }) => address))
    : pulumi.output(vips.map(({ resource }) => resource.address));

/** Returns the outputs of a cluster, from each of its directors. */
export function outputsOf(fronts: readonly Front[]): ClusterOutputs & ClusterChildren {
  const pools = fronts.flatMap((one) => one.pools);
  const floats = fronts.some(({ instance }) => instance);
  const monitored = pools.flatMap(({ virtualService, monitors }) =>
    monitors.map(({ service, health }) => ({ service: floats ? virtualService.id : service, health })),
  );
  const members = pools.map(({ virtualService, realServers, isPool }) =>
    isPool
      ? membersOf(virtualService)
      : pulumi.output(
          realServers.map(({ service, address, port, forwarding, weight }) => ({
            ...{ service, address, port, forwarding, weight },
          })),
        ),
  );
  return {
    virtualServices: pools.map(({ virtualService }) => virtualService),
    realServers: pools.flatMap(({ realServers }) => realServers),
    vips: fronts[0] ? vipsIn(fronts[0]) : pulumi.output([]),
    services: pulumi.output(pools.map(({ virtualService }) => virtualService.id)),
    health: pulumi
      .all(monitored)
      .apply((all) => Object.fromEntries(all.map(({ service, health }) => [service, health ?? {}]))),
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
      return floats ? [...firsts.values()] : flat;
    }),
    directors: pulumi
      .all(
        fronts.flatMap(({ site, instance }) =>
          instance ? [{ name: site.director.name as string, state: instance.state }] : [],
        ),
      )
      .apply((all) => Object.fromEntries(all.map(({ name, state }) => [name, state]))),
  };
}
