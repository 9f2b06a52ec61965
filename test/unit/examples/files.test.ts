import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findActionlint } from "../../../scripts/setup/actionlint.mjs";
import { allPresent, posixShells } from "../../support/fake/shells.js";

const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
const repository = join(__dirname, "../../..");
const textOf = (file: string) => readFileSync(join(repository, file), "utf8");
const workflows = globSync("examples/ci/github/lvs-*.yml", { cwd: repository }).sort();
const script = "examples/ci/ci.sh";

interface Job {
  readonly env?: object;
  readonly steps: readonly { readonly run?: string }[];
}

function printed(program: string, args: readonly string[]): string {
  const { error, stdout, stderr } = spawnSync(program, args, { cwd: repository, encoding: "utf8" });
  if (error) throw error;
  return stdout + stderr;
}

describe("the workflows for GitHub", () => {
  test("have no finding of actionlint, which asks shellcheck about each script", () => {
    const actionlint = findActionlint();
    if (!actionlint) throw new Error("there is no actionlint; run node scripts/shells.mjs, which needs Go");
    expect(workflows).toHaveLength(3);
    const config = "examples/ci/github/actionlint.yaml";
    // an error of the program itself, such as a shellcheck that is not there, ends it with another code
    expect(printed("shellcheck", ["--version"])).toContain("version");
    expect(printed(actionlint, ["-config-file", config, "-shellcheck", "shellcheck", ...workflows])).toBe("");
    expect(printed(actionlint, globSync(".github/workflows/*.yml", { cwd: repository }))).toBe("");
  });

  test("pin each action by its commit, and say its version", () => {
    const used = workflows.flatMap((file) =>
      [...textOf(file).matchAll(/uses: *(.*)/g)].map(([, name]) => name),
    );
    expect(used.length).toBeGreaterThan(10);
    for (const name of used) expect(name).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(used).toContainEqual(expect.stringMatching(/^pulumi\/actions@.* # v7\./));
  });

  test("give no value of a pull request to a shell as text", () => {
    for (const file of workflows)
      for (const job of Object.values(
        load(textOf(file)).jobs as Record<string, { steps: { run?: string }[] }>,
      ))
        for (const { run = "" } of job.steps) expect(run, file).not.toContain("${{");
  });

  test("give secrets to the step that runs ci.sh only", () => {
    for (const file of workflows)
      for (const { env = {}, steps } of Object.values(load(textOf(file)).jobs as Record<string, Job>)) {
        expect(JSON.stringify(env), file).not.toContain("secrets.");
        for (const step of steps)
          if (JSON.stringify(step).includes("secrets."))
            expect(step.run, file).toMatch(/^ *(name=.*\n.*\n)?ci\/ci\.sh (preview|up|drift) "\$STACK"/);
      }
  });

  test("comment on each stack, also if no job could make its plan", () => {
    const { jobs } = load(textOf("examples/ci/github/lvs-preview.yml"));
    const gitlab = load(textOf("examples/ci/.gitlab-ci.yml"));
    const named = (stacks: string[]) =>
      `node ci/service.mjs comment ${stacks.map((stack) => `plan/${stack}.md`).join(" ")}`;
    expect(jobs.comment.needs).toEqual(["changes", "preview"]);
    expect(jobs.comment.if).toMatch(/^always\(\) /);
    expect(jobs.comment.steps.at(-1).run).toBe(named(jobs.preview.strategy.matrix.stack));
    expect(gitlab.comment.rules[0].when).toBe("always");
    expect(gitlab.comment.script).toEqual([named(gitlab[".stacks"].parallel.matrix[0].STACK)]);
  });

  test("read pull requests only, unless a job says more", () => {
    for (const file of workflows)
      expect(Object.values(load(textOf(file)).permissions), file).toContain("read");
    expect(load(textOf("examples/ci/github/lvs-preview.yml"))).toMatchObject({
      permissions: { contents: "read" },
      jobs: { comment: { permissions: { contents: "read", "pull-requests": "write" } } },
    });
  });
});

describe("the script", () => {
  test.each(allPresent(posixShells))("is read by %s %s without a complaint", (program, ...args) => {
    expect(printed(program, [...args, "-n", script])).toBe("");
  });

  test("has no finding of shellcheck, and is as shfmt formats it", () => {
    expect(printed("shellcheck", ["-s", "sh", "-f", "gcc", script])).toBe("");
    expect(printed("shfmt", ["-d", script])).toBe("");
  });

  test("does for GitLab what it does for GitHub", () => {
    const text = textOf("examples/ci/.gitlab-ci.yml");
    const { preview, comment, up, drift } = load(text);
    expect(JSON.stringify(preview.script)).toMatch(/ci\.sh take .*ci\.sh preview .*service\.mjs store/);
    expect(JSON.stringify(comment.script)).toMatch(/service\.mjs comment /);
    expect(JSON.stringify(up.script)).toMatch(/service\.mjs load .*ci\.sh up/);
    expect(JSON.stringify(drift.script)).toMatch(/ci\.sh drift .*service\.mjs issue/);
    // hosts are reached by the jobs on runners of one's own only
    expect([preview.tags, comment.tags, up.tags, drift.tags]).toEqual([
      undefined,
      undefined,
      ["lvs"],
      ["lvs"],
    ]);
  });
});
