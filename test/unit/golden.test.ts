import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { Engine } from "../../providers/engine.js";
import { type Bag, checkInputs, partsOf } from "../../providers/inputs.js";
import { type FactName, Facts, type Section } from "../../src/facts.js";
import { agent } from "../../src/health/agent.js";
import type { Job } from "../../src/job.js";
import { commandLine } from "../../src/quote.js";
import { rulesOf } from "../../src/script.js";
import type { Step } from "../../src/step.js";
import { sysctlPath } from "../../src/sysctl.js";
import { definitions } from "../fake/definitions.js";
import { connection } from "../fake/engine.js";

/** See test/golden/README.md. */
interface Case {
  readonly title: string;
  readonly key: Bag;
  readonly was?: Bag;
  readonly want?: Bag;
  readonly adopt?: boolean;
  readonly host?: Record<string, unknown>;
  readonly run?: readonly string[];
  readonly undo?: readonly string[];
  readonly read?: Bag | null;
  readonly error?: string;
  readonly problems?: readonly string[];
}

const golden = join(__dirname, "../golden");

/** What a fact is called in a case: the command that prints it, or the file that holds it. */
function sourceOf(name: FactName): string {
  const [kind = "", ...rest] = name.split(":");
  if (kind === "ipvs") return "ipvsadm -Sn";
  if (kind === "thresholds") return "ipvsadm -Ln --thresholds";
  if (kind === "timeouts") return "ipvsadm -Ln --timeout";
  if (kind === "daemons") return "ipvsadm -Ln --daemon";
  if (kind === "addresses") return "ip -j addr show";
  if (kind === "routes") return `ip -j -${rest[0]} route show table ${rest[1]}`;
  if (kind === "declared") return "/etc/pulumi-lvs/boot";
  if (kind === "owners") return "/run/pulumi-lvs/owners";
  if (kind === "health") return "cut -f 1-3 /run/pulumi-lvs/health";
  if (kind === "monitor") return `/etc/pulumi-lvs/monitor.d/${rest.join(":")}`;
  if (kind === "draining" || kind === "drained") return `/run/pulumi-lvs/${kind}`;
  if (kind === "rivals") return "/proc/*/comm";
  if (kind === "claim") return `/run/pulumi-lvs/${rest.join(":")}/owners`;
  if (kind === "sysctl") return `/proc/sys/${sysctlPath(rest.join(":"))}`;
  return `/sys/module/${rest[0]}`;
}

function bodyOf(source: string, value: unknown): string {
  if (source.startsWith("/sys/module/"))
    return value ? ["loaded", ...(value as string[]), ""].join("\n") : "absent\n";
  if (value === undefined) return "";
  if (typeof value === "string") return `${value}\n`;
  if (source.startsWith("ip ")) return JSON.stringify(value);
  return (value as string[]).map((line) => `${line}\n`).join("");
}

/** A host that shows what the case says, and keeps the steps that would be run on it. */
function recorder(host: Record<string, unknown>) {
  const used = new Set<string>();
  const steps: Step[] = [];
  const submit = async (job: Job): Promise<Facts> => {
    const sections = new Map<FactName, Section>();
    for (const name of job.facts) {
      used.add(sourceOf(name));
      sections.set(name, { body: bodyOf(sourceOf(name), host[sourceOf(name)]) });
    }
    const facts = new Facts(sections);
    steps.push(...job.plan(facts));
    return facts;
  };
  return { submit, steps, used };
}

interface File {
  readonly kind: string;
  readonly name: string;
  readonly cases: readonly Case[];
}

const cases: File[] = globSync("*/*.json", { cwd: golden }).map((file) => {
  const content = JSON.parse(readFileSync(join(golden, file), "utf8")) as Case | Case[];
  return { kind: dirname(file), name: basename(file, ".json"), cases: [content].flat() };
});

test("every kind of resource has golden cases, and every case is of a kind", () => {
  expect([...new Set(cases.map(({ kind }) => kind))].sort()).toEqual([...definitions.keys()].sort());
});

for (const file of cases) describe(`${file.kind}/${file.name}`, () => check(file));

function check({ kind, cases }: File): void {
  const definition = definitions.get(kind);
  if (!definition) throw new Error(`no resource is called ${kind}`);
  const inputsOf = (given: Case, config: Bag) =>
    checkInputs(definition, {
      connection,
      owner: "p/s/n",
      ...(given.adopt === undefined ? {} : { adopt: given.adopt }),
      ...given.key,
      ...config,
    });

  test.for(cases.map((given) => [given.title, given] as const))("%s", async ([, given]) => {
    const { inputs, problems } = inputsOf(given, given.want ?? given.was ?? {});
    expect(problems.map(({ path, reason }) => `${path}: ${reason}`)).toEqual(given.problems ?? []);
    if (given.problems) return;

    const { submit, steps, used } = recorder(given.host ?? {});
    const engine = new Engine(definition, () => ({ submit }));
    if (given.read !== undefined) {
      const found = await engine.read("", inputs);
      expect(found.props === undefined ? null : partsOf(definition, found.props as Bag).config).toEqual(
        given.read,
      );
    } else {
      const change = given.want
        ? given.was
          ? engine.update("", inputsOf(given, given.was).inputs, inputs)
          : engine.create(inputs)
        : engine.delete("", inputs);
      if (given.error) await expect(change).rejects.toThrow(new Error(given.error));
      else await change;
      // owner marks are alike for all kinds: see ownership.test.ts
      const own = rulesOf(steps);
      const lineOf = (run: readonly string[]) =>
        commandLine(run.map((word) => (word === agent ? "AGENT" : word)));
      expect(own.map(({ run }) => lineOf(run))).toEqual(given.run ?? []);
      const undo = own.flatMap((step) => (step.undo ? [lineOf(step.undo)] : [])).reverse();
      expect(undo).toEqual(given.undo ?? []);
    }
    expect(Object.keys(given.host ?? {}).filter((source) => !used.has(source))).toEqual([]);
  });
}
