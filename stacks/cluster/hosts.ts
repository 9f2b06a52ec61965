import * as pulumi from "@pulumi/pulumi";
import type { ConnectionInput, ResourceArgs } from "../../providers/engine/resource-class.js";
import { Sysctl } from "../../providers/index.js";
import type { SysctlArgs } from "../../providers/sysctl.js";
import type { ClusterArgs } from "./args.js";
import type { DirectorArgs } from "./directors/args.js";
import { type Server, serversOf } from "./model.js";

/** Makes the sysctls of one machine of a cluster. `make` gets the last part of the name of each. */
export const sysctls = (
  of: Pick<DirectorArgs, "sysctls">,
  make: (part: string, fields: Pick<ResourceArgs<SysctlArgs>, "name" | "value">) => Sysctl,
): Sysctl[] =>
  Object.entries(of.sysctls ?? {}).map(([name, value]) =>
    make(`sysctl-${name}`, { name, value: pulumi.output(value).apply(String) }),
  );

/** The machine of a real server, and what the resources on it have in common. */
export interface ServerHost {
  readonly server: Server;
  /** The first part of the names of its resources. */
  readonly at: string;
  readonly common: { connection: ConnectionInput; persist: boolean | undefined };
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
      const common = { connection, persist: server.member.persist };
      const settings = sysctls(
        server.member,
        (part, fields) => new Sysctl(`${at}-${part}`, { ...common, ...fields }, { parent, dependsOn }),
      );
      return [server.name, make({ server, at, common, settings })];
    }),
  );
  return (server) => made.get(server.name) ?? [];
}
