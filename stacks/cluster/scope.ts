import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "./args.js";
import { type Director, directorsOf } from "./directors/model.js";

/** The class of a kind of resource. */
type Kind = new (name: string, args: never, opts?: pulumi.CustomResourceOptions) => pulumi.CustomResource;

/** Where the resources of one director are made: its names, aliases and connection. */
export interface DirectorScope {
  /** The cluster. */
  readonly parent: pulumi.Resource;
  readonly args: ClusterArgs;
  readonly director: Director;
  /** Whether VRRP moves the VIPs, because there are `directors`. */
  readonly usesVrrp: boolean;
  /** Returns the name of a resource by its last part, such as `ip-vs`. */
  named(part: string): string;
  /** Returns the names that the resource of this part has in a cluster with `director`. */
  aliases(part: string): { aliases?: pulumi.Alias[] };
  /** Makes the resource of this part on the director. It takes the place of the one with its other names. */
  make<Made extends Kind>(
    kind: Made,
    part: string,
    fields: Omit<ConstructorParameters<Made>[1], "connection">,
    dependsOn: pulumi.Resource | pulumi.Resource[],
  ): InstanceType<Made>;
}

/**
 * Returns the scopes of a cluster. Names of several directors contain the director's own. The first one also has the
 * names of a cluster with `director`, so that a cluster that gets a second director replaces nothing.
 */
export const scopesOf = (parent: pulumi.Resource, name: string, args: ClusterArgs): DirectorScope[] =>
  directorsOf(args).map((director): DirectorScope => {
    const usesVrrp = args.directors !== undefined;
    const isFirst = usesVrrp && director.index === 0;
    const named = (part: string) => (usesVrrp ? `${name}-${director.name}-${part}` : `${name}-${part}`);
    const aliases = (part: string) => (isFirst ? { aliases: [{ name: `${name}-${part}` }] } : {});
    const { connection } = director.fields;
    return {
      ...{ parent, args, director, usesVrrp, named, aliases },
      make: (kind, part, fields, dependsOn) =>
        new kind(named(part), { connection, ...fields } as never, {
          ...{ parent, dependsOn },
          ...aliases(part),
        }) as never,
    };
  });

/**
 * Makes the resources of each director, those of the last one first. `make` gets what has to be there before, and
 * returns what comes last on its director. So a change comes to the preferred director when the others have it.
 */
export function fromLast<Made extends { readonly last: pulumi.Resource[] }>(
  scopes: readonly DirectorScope[],
  make: (scope: DirectorScope, after: pulumi.Resource[]) => Made,
): Made[] {
  const made: Made[] = [];
  for (const scope of [...scopes].reverse()) made.unshift(make(scope, made[0]?.last ?? []));
  return made;
}
