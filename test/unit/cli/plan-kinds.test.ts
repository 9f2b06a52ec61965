import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesOf } from "../../../cli/plan/lines.js";
import { planOf } from "../../../cli/plan/plan.js";
import type { Bag } from "../../../providers/engine/inputs.js";
import type { Job } from "../../../src/host/job.js";
import type { Step } from "../../../src/host/step.js";
import type { Goal } from "../../faults/harness/program.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, fakeHost } from "../../support/fake/engine.js";
import type { FakeHost } from "../../support/fake/fake-host.js";
import { FakeStack } from "../../support/fake/preview.js";
import { partOf } from "../../support/kinds/index.js";

/** Returns a fake host that adds the steps of its jobs to a list. */
function noting(fake: FakeHost, noted: Step[]): FakeHost {
  const submit = async (job: Job<unknown>) => {
    let steps: readonly Step[] = [];
    const plan: Job<unknown>["plan"] = (facts) => {
      const planned = job.plan(facts);
      steps = planned.steps;
      return planned;
    };
    const done = await fake.host.submit({ ...job, plan });
    noted.push(...steps);
    return done;
  };
  const host = { submit, query: fake.host.query.bind(fake.host) };
  return new Proxy(fake, {
    get(target, name) {
      const value = name === "host" ? host : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const goalOf = (kind: string, name: string, args: Bag): Goal => ({
  ...{ name, kind, dependencies: [] },
  inputs: { connection, owner: `project/stack/${name}`, ...args },
});

const service = goalOf("VirtualService", "service", { address: "192.168.0.219", port: 80, protocol: "tcp" });

describe("the plan of a resource has the lines that run", () => {
  test.each(partOf("laws"))("%s: create, change and delete", async (name, { key, config, table }) => {
    const { kind } = definitions.get(name) as { kind: string };
    const [one] = fc.sample(fc.record({ key, a: config, b: config }), 1);
    const resource = (args?: Bag) => goalOf(kind, "one", { ...one?.key, ...args });
    const around = table === undefined ? [] : [service];
    const noted: Step[] = [];
    const fake = fakeHost();
    const label = connection.host;
    const stack = new FakeStack(new Map([[label, noting(fake, noted)]]));
    for (const goals of [[resource(one?.a)], [resource(one?.b)], []]) {
      const steps = stack.preview([...around, ...goals]);
      const plan = await planOf({ steps, before: stack.entries });
      expect(plan.filter(({ refused }) => refused !== undefined)).toEqual([]);
      noted.length = 0;
      await stack.up(steps);
      const ran = linesOf(noted, new Set()).map(({ text }) => text);
      // A value that the host has already needs no line.
      const planned = plan
        .flatMap(({ lines }) => lines)
        .filter(({ text, unknown }) => unknown === undefined || ran.includes(text));
      expect(planned.map(({ text }) => text)).toEqual(ran);
    }
  });
});
