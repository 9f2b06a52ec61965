import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs } from "../../../providers/engine/inputs.js";
import { inBulk } from "../../../src/host/script.js";
import { step } from "../../../src/host/step.js";
import { definitions } from "../../support/fake/definitions.js";
import { connection, fakeHost, resources } from "../../support/fake/engine.js";
import { shells } from "../../support/fake/fake-host.js";
import { canaries, hostileText } from "../../support/fake/hostile.js";
import { partOf } from "../../support/kinds/index.js";
import { tally } from "../../support/tally.js";

/** How many times as many values as usual (FUZZ_RUNS=100 for idle hours). */
const times = Math.max(1, Number(process.env.FUZZ_RUNS ?? 0) / 600);

// the fake host would take it for a path of the machine that runs the tests
const isNoPath = (text: string): boolean => !/(^|[^\w.])\/[a-z]/.test(text);

test("what would show that a value was run does show it, where a shell reads the value as its own text", () => {
  const fake = fakeHost();
  const ran = canaries.filter((value) => {
    for (const text of [`echo ${value}`, `echo '${value}'`, `echo "${value}"`, `(echo ${value})`])
      spawnSync("sh", ["-c", text], { cwd: fake.root, stdio: "ignore" });
    const isThere = fake.snapshot().includes("PWNED");
    fake.remove("PWNED");
    return isThere;
  });
  expect(ran).toEqual(canaries);
});

test.for(shells.map((shell) => [shell.join(" "), shell] as const))(
  "words reach a tool as they are, in its arguments or in the lines of ipvsadm -R (%s)",
  async ([, shell], context) => {
    const cases = tally(context, "fuzz");
    const fake = fakeHost({ shell });
    fake.remove("tools/ipvsadm");
    fake.write(
      "tools/ipvsadm",
      `#!/bin/sh
case $1 in
-Sn | --restore) ;;
-R) cat >>"$LVS_FAKE_ROOT/lines" ;;
*) printf '%s\\0' "$@" >>"$LVS_FAKE_ROOT/words"; printf '\\n\\0' >>"$LVS_FAKE_ROOT/words" ;;
esac
`,
    );
    chmodSync(`${fake.root}/tools/ipvsadm`, 0o755);
    const word = fc
      .oneof(
        hostileText,
        fc.string({ minLength: 1, maxLength: 30 }),
        fc.constantFrom("lvs-0123456789abcdef01234567", "EOF", "a b"),
      )
      .filter((one) => one !== "" && one.length < 1000 && isNoPath(one) && !/[\0\p{Cs}]/u.test(one));
    const all = fc
      .sample(fc.array(word, { minLength: 1, maxLength: 5 }), 60 * times)
      .map((words) => ["-a", ...words]);
    cases.tried(all.length);
    await Promise.all(
      all.map((words, i) =>
        fake.host.submit({
          owner: `${words.at(-1)} ${i}`.replaceAll("\n", ""),
          facts: ["table"],
          plan: () => ({ steps: [step(["ipvsadm", ...words], null, "entry")] }),
          observe: () => undefined,
          verify: () => undefined,
        }),
      ),
    );
    const transactions = all.map((words) => ({
      owner: "",
      steps: [step(["ipvsadm", ...words], null, "entry")],
    }));
    const bulk = inBulk(transactions);
    expect(fake.read("words")).toBe(
      all.flatMap((words, i) => (bulk.has(i) ? [] : [`${words.join("\0")}\0\n\0`])).join(""),
    );
    expect(fake.read("lines")).toBe(
      all.flatMap((words, i) => (bulk.has(i) ? [`${words.join(" ")}\n`] : [])).join(""),
    );
    expect(fake.has("PWNED")).toBe(false);
    cases.held(all.length);
  },
);

describe.each(partOf("hostile"))("%s", (name, { count, args, lines, prepare }) => {
  const definition = definitions.get(name) as Definition;

  test("has on the host exactly the hostile values that its schema lets pass, runs none of them, and goes without trace", async (context) => {
    const cases = tally(context, "fuzz");
    const fake = fakeHost();
    prepare?.(fake);
    const kind = resources(definition, fake);
    const text = (allowed: RegExp) =>
      fc
        .oneof(
          hostileText.filter((one) => allowed.test(one)),
          fc.stringMatching(allowed, { size: "-1" }),
        )
        .filter(isNoPath);
    const owner = fc
      .oneof(fc.constantFrom(...canaries), hostileText)
      .filter(isNoPath)
      .map((one) => one.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "").slice(0, 500) || "p/s/n");
    const candidates = fc.sample(fc.tuple(args(text), owner), Math.ceil(count * times * 1.5));
    const all = new Map<string, { given: Bag; inputs: Bag }>();
    for (const [given, by] of candidates) {
      const { inputs, problems } = checkInputs(definition, { connection, owner: by, ...given });
      expect(problems, JSON.stringify(given)).toEqual([]);
      all.set(JSON.stringify(Object.keys(definition.key.shape).map((field) => inputs[field])), {
        given: { ...given, owner: by },
        inputs,
      });
    }
    const chosen = [...all.values()].slice(0, count * times);
    cases.tried(chosen.length);
    const untouched = fake.snapshot();
    const before = new Set(stateLines(untouched));

    const made = await Promise.all(chosen.map(({ given }) => kind.create(given, given.owner as string)));

    const expected = new Set(
      chosen.flatMap(({ inputs }) => Object.entries(lines(inputs)).map(([file, line]) => `${file}: ${line}`)),
    );
    const added = stateLines(fake.snapshot()).filter((line) => !before.has(line));
    const [marks, things] = [
      added.filter((line) => /^(run|etc)\//.test(line)),
      added.filter((line) => !/^(run|etc)\//.test(line)),
    ];
    // directories are there for the sake of their files
    expect(new Set(things.filter((line) => line.includes(": ")))).toEqual(
      new Set([...expected].filter((line) => !before.has(line))),
    );
    const records = marks.filter((line) => line.startsWith("etc/pulumi-lvs/boot: "));
    expect(records).toHaveLength(chosen.length);
    for (const { inputs } of chosen)
      expect(records.join("\n")).toContain(`\t${definition.kind} ${definition.id(inputs)}\t`);
    if (definition.setting)
      for (const { inputs } of chosen)
        expect(records.join("\n")).toContain(`\t${inputs.owner} ${definition.id(inputs)}\t`);
    expect((await Promise.all(made.map(({ props }) => kind.read(props)))).map(({ props }) => props)).toEqual(
      made.map(({ props }) => props),
    );
    await Promise.all(made.map(({ props }) => kind.delete(props)));
    expect(fake.snapshot()).toBe(untouched);
    cases.held(chosen.length);
  });
});

/** Every line of every file of a snapshot, after the file's name. */
const stateLines = (snapshot: string): string[] =>
  snapshot.split("\n").flatMap((entry) => {
    const at = entry.indexOf(": ");
    if (at < 0) return [entry];
    const content = JSON.parse(entry.slice(at + 2)) as string;
    return content
      .split("\n")
      .filter(Boolean)
      .map((line) => `${entry.slice(0, at)}: ${line}`);
  });
