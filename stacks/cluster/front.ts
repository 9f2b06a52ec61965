import type * as pulumi from "@pulumi/pulumi";
import { VirtualAddress, VrrpInstance } from "../../providers/index.js";
import { instanceOf } from "./directors/vrrp.js";
import { adoption } from "./inherited.js";
import { vipsOf } from "./model.js";
import { once } from "./once.js";
import type { Vip } from "./places.js";
import type { MadePool } from "./services.js";
import type { Site } from "./site.js";

/** A director's services and what clients reach them by. */
export interface Front {
  readonly site: Site;
  readonly pools: readonly MadePool[];
  /** The VIPs on the director, if VRRP does not move them. */
  readonly vips: readonly { vip: Vip; resource: VirtualAddress }[];
  readonly instance: VrrpInstance | undefined;
}

/** A front with the resources that come last on its director. */
export interface MadeFront extends Front {
  readonly last: pulumi.Resource[];
}

/** Lets clients in: by the VIPs, or by the VRRP instance that has them in turn. It comes after all services. */
export function front(site: Site, pools: readonly MadePool[]): Front {
  const { parent, args, director, make, named } = site;
  const { connection, interface: device } = director.fields;
  const dependsOn = pools.flatMap(({ virtualService, realServers, monitors }) => [
    virtualService,
    ...realServers,
    ...monitors,
  ]);
  if (site.floats) {
    const tracked = pools.filter(({ isTracked }) => isTracked);
    const fields = {
      ...{ connection, ...adoption(args) },
      ...instanceOf(args, vipsOf(args), director),
      ...(tracked.length > 0
        ? { trackServices: tracked.map(({ virtualService }) => virtualService.id) }
        : {}),
    };
    const instance = new VrrpInstance(named("vrrp"), fields as never, { parent, dependsOn });
    return { site, pools, vips: [], instance };
  }
  const vips = vipsOf(args).map((vip) => {
    const { name: _, ...details } = vip.vip;
    const resource = once(VirtualAddress, [connection, device, details.address], () =>
      make(
        VirtualAddress,
        `vip-${vip.name}`,
        { ...adoption(args), interface: device, ...details },
        dependsOn,
      ),
    );
    return { vip, resource };
  });
  return { site, pools, vips, instance: undefined };
}

/** Returns the resources that let clients in. */
export const clientFacing = ({ vips, instance }: Front): pulumi.Resource[] =>
  instance ? [instance] : vips.map(({ resource }) => resource);
