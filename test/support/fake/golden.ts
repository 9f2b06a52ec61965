import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Definition } from "../../../providers/engine/define.js";
import { Engine } from "../../../providers/engine/engine.js";
import { type Bag, checkInputs } from "../../../providers/engine/inputs.js";
import { type FactName, Facts, type Section, shownFact } from "../../../src/facts/facts.js";
import type { Host } from "../../../src/host/host.js";
import type { Done, Job } from "../../../src/host/job.js";
import type { Step } from "../../../src/host/step.js";
import { sysctlPath } from "../../../src/values/sysctl-name.js";
import { connection } from "./engine.js";

/** See test/golden/README.md. */
export interface Case {
  readonly title: string;
  readonly key: Bag;
  readonly was?: Bag;
  readonly want?: Bag;
  readonly adopt?: boolean;
  readonly shared?: boolean;
  readonly host?: Record<string, unknown>;
  readonly run?: readonly string[];
  readonly undo?: readonly string[];
  readonly read?: Bag | null;
  readonly error?: string;
  readonly problems?: readonly string[];
}

const golden = join(__dirname, "../../golden");

/** Facts that a case calls by a file instead of by the words of messages. */
const files: Readonly<Record<string, string>> = {
  ledger: "/etc/pulumi-lvs/boot",
  health: "cut -f 1-3 /run/pulumi-lvs/health",
  reasons: "cut -f 1,2,5 /run/pulumi-lvs/health",
  conflicts: "/proc/*/comm",
};

/** What a fact is called in a case: the command that prints it, or the file that holds it. */
function sourceOf(name: FactName): string {
  const [kind = "", ...rest] = name.split(":");
  if (kind === "sysctl") return `/proc/sys/${sysctlPath(rest.join(":"))}`;
  return files[kind] ?? shownFact(name).replaceAll("`", "");
}

/** The second list of the table, behind its heading. */
const thresholds = "ipvsadm -Ln --thresholds";
const heading = "IP Virtual Server version 1.2.1 (size=4096)\n";

function bodyOf(source: string, value: unknown): string {
  if (source.startsWith("/sys/module/"))
    return value ? ["loaded", ...(value as string[]), ""].join("\n") : "absent\n";
  // A case that says nothing of interfaces leaves them open.
  if (value === undefined) return source === "ip -j addr show" ? "[]" : "";
  if (typeof value === "string") return `${value}\n`;
  if (source.startsWith("ip ")) return JSON.stringify(value);
  if (source === "/etc/pulumi-lvs/boot") return `restored\n--\n${(value as string[]).join("\n")}\n\n--\n`;
  return (value as string[]).map((line) => `${line}\n`).join("");
}

/** A host that shows what the case says, and keeps the steps that would be run on it. */
export function recorder(host: Record<string, unknown>) {
  const used = new Set<string>();
  const steps: Step[] = [];
  const submit = async <Notes>(job: Job<Notes>): Promise<Done<Notes>> => {
    const sections = new Map<FactName, Section>();
    for (const name of job.facts) {
      const sources = [sourceOf(name), ...(name === "table" ? [thresholds] : [])];
      const bodies = sources.map((source) => bodyOf(source, host[source]));
      for (const source of sources) used.add(source);
      sections.set(name, { body: bodies.join(name === "table" ? heading : "") });
    }
    const facts = new Facts(sections);
    const plan = job.plan(facts);
    steps.push(...plan.steps);
    return { facts, notes: plan.notes };
  };
  return { submit, steps, used };
}

export interface File {
  readonly kind: string;
  readonly name: string;
  readonly cases: readonly Case[];
}

/** All files of cases. */
export const goldenFiles: File[] = globSync("*/*.json", { cwd: golden }).map((file) => {
  const content = JSON.parse(readFileSync(join(golden, file), "utf8")) as Case | Case[];
  return { kind: dirname(file), name: basename(file, ".json"), cases: [content].flat() };
});

/** The inputs of a case with this configuration, as the check leaves them, and what it finds wrong. */
export const inputsOf = (definition: Definition, given: Case, config: Bag) =>
  checkInputs(definition, {
    connection,
    owner: "p/s/n",
    ...(given.adopt === undefined ? {} : { adopt: given.adopt }),
    ...(given.shared === undefined ? {} : { shared: given.shared }),
    ...given.key,
    ...config,
  });

/** Has the real engine make the change of a case on such a host. */
export function change(definition: Definition, given: Case, submit: Host["submit"]) {
  const engine = new Engine(definition, () => ({ submit }) as never);
  const { inputs } = inputsOf(definition, given, given.want ?? given.was ?? {});
  if (!given.want) return engine.delete("", inputs);
  if (!given.was) return engine.create(inputs);
  return engine.update("", inputsOf(definition, given, given.was).inputs, inputs);
}
