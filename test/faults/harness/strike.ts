import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { someOf } from "../../support/some-of.js";
import { tally } from "../../support/tally.js";
import { faultKinds } from "./kinds.js";
import { tearDown } from "./machines.js";
import { type Scenario, survive } from "./survive.js";

/** Every kind of fault, or some, at every place of an update, or at one of so many, as tests. */
export function strike(title: string, prepare: () => Promise<Scenario>, kinds = faultKinds, share = 1): void {
  describe(title, () => {
    let scenario: Scenario;
    beforeAll(async () => {
      scenario = await prepare();
    }, 120_000);
    afterAll(tearDown);

    for (const kind of kinds) {
      test(kind.title, async (context) => {
        const faults = tally(context, "faults on fake hosts");
        const places = someOf(kind.places(scenario.reference.rounds), share);
        const lost = await Promise.all(
          places.map(async (fault) => {
            try {
              if (!(await survive(scenario, fault))) return [];
              faults.tried();
              faults.held();
              return [];
            } catch (error) {
              faults.tried();
              return [`${fault.place}: ${(error as Error).message}`];
            }
          }),
        );
        expect(lost.flat().join("\n\n")).toBe("");
        expect(places.length).toBeGreaterThan(0);
      });
    }
  });
}
