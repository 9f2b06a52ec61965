import type * as pulumi from "@pulumi/pulumi";
import { VirtualAddress, VrrpInstance } from "../../providers/index.js";
import { instanceOf } from "./directors/vrrp.js";
import { vipsOf } from "./model.js";
import { once } from "./once.js";
import type { Vip } from "./places.js";
import type { DirectorScope } from "./scope.js";
import type { MadePool } from "./services.js";

/** A director's services and what clients reach them by. */
export interface Frontend {
  readonly scope: DirectorScope;
  readonly pools: readonly MadePool[];
  /** The VIPs on the director, if VRRP does not move them. */
  readonly vips: readonly { vip: Vip; resource: VirtualAddress }[];
  readonly instance: VrrpInstance | undefined;
}

/** A frontend with the resources that come last on its director. */
export interface MadeFrontend extends Frontend {
  readonly last: pulumi.Resource[];
}

/** Lets clients in: by the VIPs, or by the VRRP instance that has them in turn. It comes after all services. */
export function frontend(scope: DirectorScope, pools: readonly MadePool[]): Frontend {
  const { parent, args, director, make, named } = scope;
  const { connection, interface: device } = director.fields;
  const dependsOn = pools.flatMap(({ virtualService, realServers, monitors }) => [
    virtualService,
    ...realServers,
    ...monitors,
  ]);
  if (scope.usesVrrp) {
    const tracked = pools.filter(({ isTracked }) => isTracked);
    const fields = {
      ...{ connection, adopt: args.adopt },
      ...instanceOf(args, vipsOf(args), director),
      ...(tracked.length > 0
        ? { trackServices: tracked.map(({ virtualService }) => virtualService.id) }
        : {}),
    };
    const instance = new VrrpInstance(named("vrrp"), fields as never, { parent, dependsOn });
    return { scope, pools, vips: [], instance };
  }
  const vips = vipsOf(args).map((vip) => {
    const { name: _, ...details } = vip.vip;
    const resource = once(VirtualAddress, [connection, device, details.address], () =>
      make(
        VirtualAddress,
        `vip-${vip.name}`,
        { adopt: args.adopt, interface: device, ...details },
        dependsOn,
      ),
    );
    return { vip, resource };
  });
  return { scope, pools, vips, instance: undefined };
}

/** Returns the resources that let clients in. */
export const clientFacing = ({ vips, instance }: Frontend): pulumi.Resource[] =>
  instance ? [instance] : vips.map(({ resource }) => resource);
