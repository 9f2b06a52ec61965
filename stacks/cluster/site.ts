import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./args.js";
import { type Director, directorsOf } from "./directors/model.js";

/** A director as the place of resources, and how they are called. */
export interface Site {
  readonly args: ClusterArgs;
  readonly director: Director;
  /** Whether VRRP moves the VIPs, because there are `directors`. */
  readonly floats: boolean;
  /** Returns the name of a resource by its last part, such as `ip-vs`. */
  named(part: string): string;
  /** Returns the options of the resource of this name. */
  options(part: string, opts: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions;
}

/**
 * Returns the sites of a cluster. Names of several directors contain the director's own. The first one also has the
 * names of a cluster with `director`, so that a cluster that gets a second director replaces nothing.
 */
export const sitesOf = (name: string, args: ClusterArgs): Site[] =>
  directorsOf(args).map((director) => {
    const floats = args.directors !== undefined;
    const isFirst = floats && director.index === 0;
    return {
      ...{ args, director, floats },
      named: (part) => (floats ? `${name}-${director.name}-${part}` : `${name}-${part}`),
      options: (part, opts) => (isFirst ? { ...opts, aliases: [{ name: `${name}-${part}` }] } : opts),
    };
  });

/**
 * Makes the resources of each director, those of the last one first. `make` gets all that has to be there before, and
 * tells what ends its director. So a change comes to the preferred director when the others have it.
 */
export function fromLast<Made extends { readonly last: pulumi.Resource[] }>(
  sites: readonly Site[],
  make: (site: Site, after: pulumi.Resource[]) => Made,
): Made[] {
  const made: Made[] = [];
  for (const site of [...sites].reverse()) made.unshift(make(site, made[0]?.last ?? []));
  return made;
}
