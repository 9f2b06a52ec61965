import * as pulumi from "@pulumi/pulumi";
import type { ResourceArgs } from "../../providers/engine/resource-class.js";
import { Sysctl } from "../../providers/index.js";
import type { SysctlArgs } from "../../providers/sysctl.js";
import type { DirectorArgs } from "./cluster.js";

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
