import * as pulumi from "@pulumi/pulumi";
import { unknown } from "@pulumi/pulumi/output.js";
import { type ConnectionInput, secured } from "../../providers/engine/resource-class.js";
import { HostError } from "../../src/errors.js";
import { assign, shellText } from "../../src/shell/index.js";
import { commandConnection } from "../../src/ssh/command-connection.js";
import { type Connection, hostLabel } from "../../src/ssh/connection.js";
import { showGiven } from "../../src/values/problem.js";
import type { ClusterArgs } from "./args.js";
import { serversOf } from "./model.js";
import { isPackageName, noPackageName } from "./package-names.js";
import { scopesOf } from "./scope.js";

/** Packages to install once, before all else, with the host's own package manager (apt-get, dnf or apk). */
export interface PackagesArgs {
  /** Plain names of packages for each director, such as `["ipvsadm", "iputils-arping"]`. Default: none. */
  director?: string[] | undefined;
  /** Plain names of packages for real servers that have a connection. Default: none. */
  realServers?: string[] | undefined;
}

const install = (names: readonly string[]): string => {
  const wrong = names.find((name) => !isPackageName(name));
  if (wrong !== undefined)
    throw new pulumi.RunError(`cannot install packages: ${showGiven(wrong)} ${noPackageName}`);
  return assign({ packages: names.join(" ") }) + shellText("packages.sh");
};

/**
 * Makes the commands that install packages. This runs once and has no state to watch, so @pulumi/command does
 * it. It is off by default.
 */
export function packages(
  parent: pulumi.Resource,
  name: string,
  args: ClusterArgs & { packages?: PackagesArgs | undefined },
): pulumi.Resource[] {
  const { director = [], realServers = [] } = args.packages ?? {};
  const hosts = [
    ...scopesOf(parent, name, args).map((scope) => ({
      at: scope.usesVrrp ? `${scope.director.name}-director` : "director",
      connection: scope.director.fields.connection as ConnectionInput | undefined,
      names: director,
      aliases: scope.aliases("packages-director"),
    })),
    ...serversOf(args).map(({ name: at, member }) => ({
      at,
      connection: member.connection,
      names: realServers,
      aliases: {},
    })),
  ].filter(({ connection, names }) => connection !== undefined && names.length > 0);
  if (hosts.length === 0) return [];
  const { remote } = loadCommand();
  // A wrong name fails before any key is read.
  const creates = new Map(hosts.map(({ names }) => [names, install(names)]));
  return hosts.map(
    ({ at, connection, names, aliases }) =>
      new remote.Command(
        `${name}-packages-${at}`,
        {
          connection: pulumi.secret(reach(connection)) as never,
          create: creates.get(names) as string,
          triggers: [labelOf(connection), ...names],
        },
        // Installed packages stay installed under other credentials, and a preview does not know those.
        { parent, ignoreChanges: ["connection"], ...aliases },
      ),
  );
}

const labelOf = (connection: unknown): pulumi.Output<string> =>
  (pulumi.output(connection) as pulumi.Output<Connection>).apply(({ host, port }) =>
    hostLabel({ host, port }),
  );

/**
 * Returns the connection for @pulumi/command, with the key, the password and the host's key themselves. Only
 * `up` reads them. A preview may run for an unreviewed change, which names the files and variables to read.
 */
function reach(connection: unknown): pulumi.Output<unknown> {
  if (pulumi.runtime.isDryRun()) return pulumi.output(unknown);
  return (pulumi.output(secured(connection)) as pulumi.Output<Connection>).apply((known) => {
    try {
      return commandConnection(known);
    } catch (error) {
      // An error that an operator can mend needs no stack.
      throw new pulumi.RunError(
        error instanceof HostError
          ? error.of("cannot install packages")
          : `cannot install packages: ${(error as Error).message}`,
      );
    }
  });
}

// Loads an optional peer: without packages to install, neither the package nor its plugin is needed.
function loadCommand(): typeof import("@pulumi/command") {
  try {
    return require("@pulumi/command");
  } catch {
    throw new pulumi.RunError(
      "cannot install packages: @pulumi/command is missing; run npm install @pulumi/command",
    );
  }
}
