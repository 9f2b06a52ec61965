import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, ResourceArgs } from "../../providers/engine/resource-class.js";
import { Sysctl } from "../../providers/index.js";
import type { SysctlArgs } from "../../providers/sysctl.js";
import type { ClusterArgs, DirectorArgs } from "./cluster.js";
import { lasting } from "./component.js";
import { type Server, serversOf } from "./model.js";

type Common = Pick<ResourceArgs<SysctlArgs>, "connection" | "persist">;

/** Makes the sysctls of one machine of a cluster. */
export const sysctls = (
  parent: pulumi.ComponentResource,
  at: string,
  of: Pick<DirectorArgs, "sysctls">,
  common: Common,
  dependsOn: pulumi.Resource[],
): pulumi.Resource[] =>
  Object.entries(of.sysctls ?? {}).map(
    ([name, value]) =>
      new Sysctl(
        `${at}-sysctl-${name}`,
        { ...common, name, value: pulumi.output(value).apply(String) },
        { parent, dependsOn },
      ),
  );

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
      const settings = sysctls(parent, at, server.member, common, dependsOn);
      return [server.name, make({ server, at, common, settings })];
    }),
  );
  return (server) => made.get(server.name) ?? [];
}
