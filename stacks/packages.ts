import * as pulumi from "@pulumi/pulumi";
import { type ConnectionInput, secured } from "../providers/dynamic.js";
import { commandConnection } from "../src/command-connection.js";
import type { Connection } from "../src/connection.js";
import type { ClusterArgs } from "./cluster.js";
import { nameOf } from "./cluster.js";

/** Packages to install once, before anything else, by the host's own package manager (apt-get, dnf or apk). */
export interface PackagesArgs {
  /** On the director, such as `["ipvsadm", "iputils-arping"]`. */
  director?: string[];
  /** On real servers that have a connection. */
  realServers?: string[];
}

const install = (names: readonly string[]): string => {
  const wrong = names.find((name) => !/^[a-z0-9][a-z0-9+.-]*$/.test(name));
  if (wrong !== undefined) throw new pulumi.RunError(`packages: ${JSON.stringify(wrong)} is no package name`);
  const list = names.join(" ");
  const apt = `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y ${list}`;
  const command = `if command -v apt-get >/dev/null; then ${apt}; elif command -v dnf >/dev/null; then dnf install -y ${list}; else apk add ${list}; fi`;
  return `if [ "$(id -u)" = 0 ]; then ${command}; else sudo -n sh -c '${command}'; fi`;
};

/** Host preparation is one-off and has no state worth watching, so it is @pulumi/command's, and off unless asked for. */
export function packages(
  parent: pulumi.Resource,
  name: string,
  args: ClusterArgs & { packages?: PackagesArgs },
): pulumi.Resource[] {
  const { director = [], realServers = [] } = args.packages ?? {};
  const hosts = [
    { at: "director", connection: args.director.connection as ConnectionInput | undefined, names: director },
    ...args.realServers.map((member) => ({
      at: nameOf(`realServers of ${name}`, member),
      connection: member.connection,
      names: realServers,
    })),
  ].filter(({ connection, names }) => connection !== undefined && names.length > 0);
  if (hosts.length === 0) return [];
  const { remote } = loadCommand();
  // a wrong name is told before any key is read
  const creates = new Map(hosts.map(({ names }) => [names, install(names)]));
  return hosts.map(
    ({ at, connection, names }) =>
      new remote.Command(
        `${name}-packages-${at}`,
        {
          connection: pulumi.secret(reach(connection)) as never,
          create: creates.get(names) as string,
        },
        { parent },
      ),
  );
}

const reach = (connection: unknown): pulumi.Output<unknown> =>
  (pulumi.output(secured(connection)) as pulumi.Output<Connection>).apply((known) => {
    try {
      return commandConnection(known);
    } catch (error) {
      // what an operator can mend needs no stack
      throw new pulumi.RunError(`packages: ${(error as Error).message}`);
    }
  });

// an optional peer: whoever installs no packages by it needs neither the package nor its plugin
function loadCommand(): typeof import("@pulumi/command") {
  try {
    return require("@pulumi/command");
  } catch {
    throw new pulumi.RunError("packages needs @pulumi/command: npm install @pulumi/command");
  }
}
