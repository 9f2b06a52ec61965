import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import {
  type Bag,
  checkInputs,
  clean,
  hasUnknown,
  partsOf,
  unknownValue,
} from "../../../providers/engine/inputs.js";
import { type FactName, Facts } from "../../../src/facts/facts.js";
import { agent } from "../../../src/shell/agent.js";
import { ipAddress } from "../../../src/values/address.js";
import type { Problem } from "../../../src/values/problem.js";
import { parseClusters } from "../../../stacks/config.js";
import { definitions } from "../../support/fake/definitions.js";
import {
  hostile,
  hostileConnection,
  placesIn,
  put,
  rightClusters,
  secret,
  spoilt,
} from "../../support/fake/hostile.js";
import { kinds } from "../../support/kinds/index.js";
import type { TestedKind } from "../../support/kinds/kind.js";
import { tally } from "../../support/tally.js";

/** Cases per schema; more of them find more (FUZZ_RUNS=100000 for idle hours). */
const numRuns = Number(process.env.FUZZ_RUNS ?? 600);

const common: Bag = { connection: hostileConnection, adopt: false, owner: "p/s/one" };

const oneLine = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,300}$/u;

function readable(problems: readonly Problem[]): void {
  for (const { path, reason } of problems) {
    if (!oneLine.test(path) || !oneLine.test(reason))
      throw new Error(`not readable: ${JSON.stringify({ path, reason })}`);
    if (`${path}${reason}`.includes(secret.slice(0, 8))) throw new Error(`the secret is in ${reason}`);
  }
}

const same = (one: unknown, other: unknown) => expect(one).toEqual(other);

/** Facts of a host that has nothing. */
const nothing = (names: readonly FactName[]) =>
  new Facts(
    new Map(
      names.map((name) => [
        name,
        { body: /^(addresses|routes)/.test(name) ? "[]" : name.startsWith("module") ? "absent\n" : "" },
      ]),
    ),
  );

const options =
  /^(-[46AEDaedtufrgmwxysbpMqUcI]|--(set|start-daemon|stop-daemon|syncid|sync-maxlen|mcast-(interface|group|port|ttl)))$/;

/** A file for keepalived: its comments, the one script, the file that holds it, and words with no sign that its configuration obeys. */
const forKeepalived =
  /^# Written by pulumi-lvs for its VRRP .*(\n\t{0,2}(# [ -~]+|script "[^"\\$!#]+"|file "\/run\/pulumi-lvs-hold-[\w.@:-]+"|[\w.:@ /-]+( \{)?|\}))+$/;

/** What would be run on a host has no word that a shell, a tool or a file system takes for something else. */
function harmless(definition: Definition, inputs: Bag): void {
  const { key, config } = partsOf(definition, inputs);
  const names = definition.facts(key, config);
  const view = { persist: true, facts: nothing(names), owner: `${inputs.owner} ${definition.id(key)}` };
  if (!/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,600}$/u.test(view.owner)) throw new Error(`bad mark ${view.owner}`);
  for (const { run, undo } of definition.plan(key, config, undefined, view)) {
    for (const word of [...run.slice(1), ...(undo?.slice(1) ?? [])]) {
      // a sysctl's value goes into its file, and is no argument of any program
      if (word === config.value) continue;
      // nor is a text that goes into a file of ours: lines of words, parted by tabs
      if (word === agent || /^# Written by pulumi-lvs .*(\n[a-z]+(\t[^\p{Cc}\p{Cs}]*)+)+$/u.test(word))
        continue;
      if (forKeepalived.test(word)) continue;
      if (!/^[\x20-\x7e]+$/.test(word)) throw new Error(`bad word ${JSON.stringify(word)}`);
      if (/^-/.test(word) && !options.test(word) && !/^-\d+$/.test(word))
        throw new Error(`an option by value: ${word}`);
      // a pattern of files is the resource's own
      const isInside =
        /^\/(proc\/sys|sys\/module)(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(word) || word.includes("*");
      if (word.startsWith("/") && !isInside) throw new Error(`bad path ${word}`);
    }
  }
}

describe.each([...definitions])("%s", (name, definition) => {
  const bases = (kinds[name] as TestedKind).right.map((args) => ({ ...common, ...args }));
  const shape = { ...definition.key.shape, ...definition.config.shape } as Bag;

  test("takes what is right", () => {
    for (const base of bases) expect(checkInputs(definition, base).problems).toEqual([]);
  });

  test("refuses a hostile value where it stands, in one readable line, or takes it whole", (context) => {
    const cases = tally(context, "fuzz");
    fc.assert(
      fc.property(spoilt(bases, hostile), ({ where, args }) => {
        cases.tried();
        const { inputs, problems } = checkInputs(definition, args);
        readable(problems);
        same(JSON.parse(JSON.stringify(inputs)), inputs);
        if (problems.length > 0) {
          const at = String(where[0]);
          const alone = shape[at] as { safeParse(value: unknown): { success: boolean } } | undefined;
          const here = problems.some(({ path }) => path.startsWith(at) || path.startsWith("["));
          // fields that do not go together are told at either
          if (!here && !alone?.safeParse(args[at]).success)
            throw new Error(`not at ${at}: ${JSON.stringify(problems)}`);
        } else if (!hasUnknown(args)) {
          same(checkInputs(definition, inputs), { inputs, problems: [] });
          for (const key of Object.keys(args)) if (!(key in inputs)) throw new Error(`${key} was dropped`);
          harmless(definition, inputs);
        }
        cases.held();
      }),
      { numRuns, verbose: 1 },
    );
  });

  test("lets pass what is not known yet, wherever it stands", (context) => {
    const cases = tally(context, "fuzz");
    for (const base of bases)
      for (const at of placesIn(base).filter((place) => place.length > 0)) {
        cases.tried();
        const args = put(base, at, unknownValue) as Bag;
        const { inputs, problems } = checkInputs(definition, args);
        same(problems, []);
        expect(inputs[at[0] as string]).toEqual(args[at[0] as string]);
        same(checkInputs(definition, inputs), { inputs, problems });
        cases.held();
      }
  });
});

describe("the configuration of a stack", () => {
  const packages = { director: ["ipvsadm"], realServers: ["nginx"] };
  const [health] = (kinds["health-monitor"] as TestedKind).right as [Bag];
  // The monitor of a cluster has the cluster's service, and announces nothing (docs/ecmp.md).
  const { service: _, announce: __, ...checks } = health;
  const checked = { port: 8080, health: checks, drain: { timeout: 60, minimum: 2 } };
  const bases = rightClusters.map(({ web }) => ({
    web: { ...web, packages, services: [...(web.services as unknown[]), checked] },
  }));

  test("is taken where it is right", () => {
    for (const base of bases) expect(parseClusters(base)).not.toHaveProperty("mistakes");
  });

  test("is refused where a hostile value stands, in one readable line each, or taken whole", (context) => {
    const cases = tally(context, "fuzz");
    fc.assert(
      fc.property(spoilt(bases, hostile), ({ where, args }) => {
        cases.tried();
        const parsed = parseClusters(args);
        if ("mistakes" in parsed) {
          for (const line of parsed.mistakes) {
            if (!oneLine.test(line)) throw new Error(`not readable: ${JSON.stringify(line)}`);
            if (line.includes(secret.slice(0, 8))) throw new Error(`the secret is in ${line}`);
            if (!line.startsWith("clusters")) throw new Error(`no place: ${line}`);
          }
          const at = where.slice(0, 2).filter((part) => /^[\w-]{1,60}$/.test(String(part)));
          // A value that is right by itself may not fit another field. A rule tells so there, and names the value.
          const value = where.reduce<unknown>((inner, part) => (inner as never)?.[part], args);
          const text = ipAddress.safeParse(value).data ?? JSON.stringify(value)?.replace(/^"|"$/g, "");
          // A destination of one address is told as a network.
          const bare = (word: string) => word.replace(/[:;,]+$/, "").replace(/\/(32|128)$/, "");
          const wordsOf = (line: string) => line.split(/\s+/).map(bare);
          const isReported = (line: string) =>
            line.startsWith(`clusters.${at.join(".")}`) || (text && wordsOf(line).includes(text));
          if (at.length === 2 && !parsed.mistakes.some(isReported))
            throw new Error(`not at ${where}: ${parsed.mistakes}`);
        } else {
          const { clusters } = clean(parsed);
          same(clean(parseClusters(clusters)), { clusters });
          same(placesIn(parsed.clusters).map(String).sort(), placesIn(args).map(String).sort());
        }
        cases.held();
      }),
      { numRuns, verbose: 1 },
    );
  });
});
