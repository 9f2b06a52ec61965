import { DrCluster, NatCluster } from "../../../index.js";
import type { Definition } from "../../../providers/engine/define.js";
import { checkInputs } from "../../../providers/engine/inputs.js";
import { parseClusters } from "../../../stacks/config.js";
import { definitions } from "./definitions.js";
import { withMocks } from "./mocks.js";

/** A resource that a program registers. */
export interface Registered {
  readonly name: string;
  readonly type: string;
  readonly inputs: Record<string, unknown>;
}

/** Returns the inputs with defaults, as Pulumi has them in a preview after the provider's check. */
const filled = (type: string, inputs: Record<string, unknown>) => {
  const definition = [...definitions.values()].find(({ kind }) => type.endsWith(`dynamic/lvs:${kind}`));
  return definition ? checkInputs(definition as Definition, inputs).inputs : inputs;
};

/** Runs a program without providers. Returns what it registers, in order, what it returns, and its error. */
export async function program<Result>(
  run: () => Result,
  preview = false,
): Promise<{ all: Registered[]; result?: Result; error?: Error }> {
  const all: Registered[] = [];
  return withMocks(
    ({ name, type, inputs }) => {
      all.push({ name, type: type.replace("pulumi-nodejs:dynamic/lvs:", ""), inputs });
      return {
        id: preview ? (undefined as never) : `id of ${name}`,
        state: preview ? filled(type, inputs) : inputs,
      };
    },
    preview,
    () => {
      try {
        return { all, result: run() };
      } catch (error) {
        return { all, error: error as Error };
      }
    },
  );
}

/** Makes the clusters of a stack, as the program of the YAML does. */
export const makeAll = (clusters: Record<string, { kind: string }>): (DrCluster | NatCluster)[] =>
  Object.entries(clusters).map(([name, { kind, ...args }]) =>
    kind === "nat" ? new NatCluster(name, args as never) : new DrCluster(name, args as never),
  );

/** Returns the mistakes of clusters in a stack's file. */
export const mistakesOf = (clusters: unknown): string[] => {
  const parsed = parseClusters(clusters);
  return "mistakes" in parsed ? parsed.mistakes : [];
};

/** Returns the mistakes of the same clusters in a program. A component tells those of one cluster. */
export async function mistakesInProgram(clusters: Record<string, { kind: string }>): Promise<string[]> {
  const { all, error } = await program(() => makeAll(clusters));
  if (!error) return [];
  const [head = "", ...lines] = error.message.split("\n");
  const name = /^cannot make cluster (\S+): its arguments are not right:$/.exec(head)?.[1];
  if (name === undefined) throw error;
  const mine = all.filter((one) => one.name === name || one.name.startsWith(`${name}-`));
  if (mine.length > 0) throw new Error(`${mine.length} resources of ${name} are registered`);
  const others = Object.keys(clusters).filter((other) => other !== name);
  const reference = new RegExp(`(?<![\\w.-])(${others.join("|")})\\.(?=[a-z])`, "g");
  return lines.map(
    (line) =>
      `clusters.${name}.${others.length > 0 ? line.trim().replaceAll(reference, (text) => `clusters.${text}`) : line.trim()}`,
  );
}
