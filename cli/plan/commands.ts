import { hasUnknown } from "../../providers/engine/inputs.js";
import type { Entry } from "../../rollback/deployment.js";
import { plainText } from "../../src/values/foreign.js";
import { contentOf, type Line } from "./lines.js";

/** Returns whether @pulumi/command runs a command on a host for it, such as `packages` of a cluster. */
export const isCommand = ({ type }: Pick<Entry, "type">): boolean => type === "command:remote:Command";

/** `packages` of a cluster has the name of its host first in what it depends on. */
const isPackages = (urn: string): boolean => /[:$]lvs:index:\w+\$command:remote:Command::/.test(urn);

/** The name shown for a host that only the connection names, which is secret. */
const secretHost = "host in a secret connection";

/** Returns the host of a command, or undefined if only the update knows it. */
function hostOf(
  urn: string,
  { connection, triggers }: Readonly<Record<string, unknown>>,
): string | undefined {
  const host = isPackages(urn) ? [triggers].flat()[0] : (connection as { host?: unknown } | undefined)?.host;
  if (hasUnknown(host)) return undefined;
  return typeof host === "string" && host !== "[secret]" ? plainText(host) : secretHost;
}

/** Returns what a command resource runs, or undefined if it runs nothing. */
export function commandOf(
  urn: string,
  op: "create" | "update" | "delete",
  inputs: Readonly<Record<string, unknown>>,
): { host: string | undefined; lines: Line[]; unknown: string[] } | undefined {
  const name = inputs[op] === undefined && op === "update" ? "create" : op;
  if (inputs[name] === undefined || inputs[name] === "") return undefined;
  const parts = [name, "environment", "stdin"].filter((part) => inputs[part] !== undefined);
  const unknown = parts.filter((part) => hasUnknown(inputs[part]));
  const content = parts.flatMap((part) => {
    const text = typeof inputs[part] === "string" ? inputs[part] : JSON.stringify(inputs[part]);
    return contentOf(part === name ? text : `${part}: ${text}`);
  });
  const line = {
    ...{ text: "running a command by SSH", isRecord: false, undo: null, content },
    unknown: "what it changes; a rollback does not undo it",
  };
  return { host: hostOf(urn, inputs), lines: unknown.length > 0 ? [] : [line], unknown };
}
