import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, ResourceArgs } from "../../providers/engine/resource-class.js";
import { Sysctl } from "../../providers/index.js";
import type { SysctlArgs } from "../../providers/sysctl.js";
import type { ClusterArgs } from "./args.js";
import { lasting } from "./component.js";
import type { DirectorArgs } from "./directors/args.js";
import { type Server, serversOf } from "./model.js";

type Common = Pick<ResourceArgs<SysctlArgs>, "connection" | "persist">;

/** Makes the sysctls of one machine of a cluster. `called` gives the name and the options of each. */
export const sysctls = (
  of: Pick<DirectorArgs, "sysctls">,
  common: Common,
  called: (part: string) => [string, pulumi.CustomResourceOptions],
): pulumi.Resource[] =>
  Object.entries(of.sysctls ?? {}).map(([name, value]) => {
    const [resource, opts] = called(`sysctl-${name}`);
    return new Sysctl(resource, { ...common, name, value: pulumi.output(value).apply(String) }, opts);
  });

/** The machine of a real server, and what the resources on it have in common. */
export interface ServerHost {
  readonly server: Server;
  /** The first part of the names of its resources. */
  readonly at: string;
  readonly common: { connection: ConnectionInput; persist?: boolean };
  readonly settings: readonly pulumi.Resource[];
}

/**
 * Makes the sysctls of each real server with a connection, and then the resources that `make` returns. Returns the
 * function that gives the resources of a server.
 */
export function serverHosts(
  parent: pulumi.ComponentResource,
  name: string,
  args: ClusterArgs,
  dependsOn: pulumi.Resource[],
  make: (host: ServerHost) => pulumi.Resource[],
): (server: Server) => pulumi.Resource[] {
  const made = new Map(
    serversOf(args).map((server) => {
      const { connection } = server.member;
      if (!connection) return [server.name, []];
      const at = `${name}-${server.name}`;
      const common = { connection, ...lasting(server.member) };
      const settings = sysctls(server.member, common, (part) => [`${at}-${part}`, { parent, dependsOn }]);
      return [server.name, make({ server, at, common, settings })];
    }),
  );
  return (server) => made.get(server.name) ?? [];
}
