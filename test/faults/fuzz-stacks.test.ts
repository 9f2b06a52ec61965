import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { expect, test } from "vitest";
import { DrCluster, NatCluster } from "../../index.js";
import { type Bag, checkInputs } from "../../providers/engine/inputs.js";
import { parseClusters } from "../../stacks/config.js";
import { definitions } from "../support/fake/definitions.js";
import {
  hostile,
  hostileText,
  placesIn,
  put,
  rightClusters,
  secret,
  spoilt,
} from "../support/fake/hostile.js";
import { tally } from "../support/tally.js";

const numRuns = Math.ceil(Number(process.env.FUZZ_RUNS ?? 600) / 30);

const oneLine = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,400}$/u;

interface Registered {
  readonly type: string;
  readonly name: string;
  readonly inputs: Bag;
}

/** Inputs as a provider gets them, with what is secret in clear. */
function opened(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(opened);
  if ("4dabf18193072939515e22adb298388d" in value) return opened((value as Bag).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, opened(inner)]));
}

/** What a cluster with these arguments registers; its providers are not asked. */
async function registered({ kind, ...args }: Bag): Promise<Registered[]> {
  const all: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs }) => {
        all.push({ name, type, inputs: opened(inputs) as Bag });
        // the id that the provider would give
        return {
          id: type.endsWith(":VirtualService")
            ? `host/${inputs.fwmark ? `fwmark://${inputs.fwmark}` : "tcp://192.168.0.219:80"}`
            : name,
          state: inputs,
        };
      },
      call: () => ({}),
    },
    "project",
    "stack",
  );
  try {
    if (kind === "dr") new DrCluster("web", args as never);
    else new NatCluster("web", args as never);
  } finally {
    await pulumi.runtime.disconnect();
  }
  return all;
}

/** What the check of each resource says. */
const problemsOf = (all: readonly Registered[]) =>
  all.flatMap(({ type, inputs }) => {
    const definition = [...definitions.values()].find(({ kind }) => type.endsWith(`lvs:${kind}`));
    return definition ? checkInputs(definition, inputs).problems : [];
  });

const readable = (text: string): void => {
  if (!oneLine.test(text) || text.includes(secret.slice(0, 8)))
    throw new Error(`not readable: ${JSON.stringify(text)}`);
};

test("clusters are made of what is right, and every check agrees", async () => {
  for (const { web } of rightClusters) expect(problemsOf(await registered(web))).toEqual([]);
});

test("a hostile value in a configuration is refused with it, by the cluster, or by a resource's own check, in one line", async (context) => {
  const cases = tally(context, "fuzz");
  for (const { args } of fc.sample(spoilt(rightClusters, hostile), numRuns)) {
    cases.tried();
    const parsed = parseClusters(args);
    if ("mistakes" in parsed) parsed.mistakes.forEach(readable);
    else for (const web of Object.values(parsed.clusters)) await refusedOrRight(web as unknown as Bag);
    cases.held();
  }
});

test("so is a hostile text among the arguments of a component", async (context) => {
  const cases = tally(context, "fuzz");
  const texts = rightClusters.flatMap(({ web }) =>
    placesIn(web)
      .filter(
        (at) =>
          at[0] !== "kind" &&
          typeof at.reduce((value: unknown, part) => (value as Bag)[part], web) === "string",
      )
      .map((at) => ({ web, at })),
  );
  for (const [{ web, at }, text] of fc.sample(
    fc.tuple(
      fc.constantFrom(...texts),
      hostileText.filter((text) => text.length < 5000),
    ),
    numRuns,
  )) {
    cases.tried();
    await refusedOrRight(put(web, at, text) as Bag);
    cases.held();
  }
});

async function refusedOrRight(web: Bag): Promise<void> {
  let all: Registered[];
  try {
    all = await registered(web);
  } catch (error) {
    expect(error).toBeInstanceOf(pulumi.RunError);
    // A cluster tells each mistake in a line of its own.
    const [head = "", ...lines] = (error as Error).message.split("\n");
    readable(head);
    if (lines.length > 0) expect(head).toBe("cannot make cluster web: its arguments are not right:");
    for (const line of lines) {
      expect(line).toMatch(/^ {2}\w+\b/);
      readable(line.trimStart());
    }
    return;
  }
  for (const { path, reason } of problemsOf(all)) {
    readable(path);
    readable(reason);
  }
}
