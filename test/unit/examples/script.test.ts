import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

// examples/ci/ci.sh with programs in place of `npx` and `pulumi`, which note how they are run

const script = join(__dirname, "../../../examples/ci/ci.sh");
let place: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "lvs-script-"));
  mkdirSync(join(place, "bin"));
  mkdirSync(join(place, "plan"));
  program("npx");
  program("pulumi");
});

afterEach(() => rmSync(place, { recursive: true, force: true }));

const inPlace = (file: string, text: string) => writeFileSync(join(place, file), text);

/** Puts a program into the PATH. It notes its arguments, and runs the text. */
function program(name: string, text = ""): void {
  inPlace(`bin/${name}`, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>"$NOTES"\n${text}\n`);
  chmodSync(join(place, "bin", name), 0o755);
}

function run(args: readonly string[], more: Record<string, string> = {}, cwd = place) {
  const env = { PATH: `${join(place, "bin")}:${process.env.PATH}`, NOTES: join(place, "notes"), ...more };
  const { status, stdout, stderr } = spawnSync(script, args, { cwd, env, encoding: "utf8" });
  const notes = existsSync(env.NOTES) ? readFileSync(env.NOTES, "utf8").trim().split("\n") : [];
  rmSync(env.NOTES, { force: true });
  return { code: status, stdout, stderr, notes };
}

test("up refuses a file that is not a plan of pulumi-lvs, and runs nothing", () => {
  const up = (plan: string) => {
    inPlace("plan/prod.json", plan);
    return run(["up", "prod"], { LVS_SSH_CONFIG: "/nowhere" });
  };
  const pulumi = '{ "resourcePlans": {}, "config": {\n  "format": "pulumi-lvs plan 1",\n  "a": 1 } }';
  for (const plan of [pulumi, '{ "resourcePlans": {} }', '{ "format": 1 }', "null", "[]", ""]) {
    const { code, notes, stderr } = up(plan);
    expect([code, notes], plan).toEqual([1, []]);
    expect(stderr).toContain("plan/prod.json is not a plan of pulumi-lvs; make the preview again");
  }
  expect(up('{ "format": "pulumi-lvs plan 1" }')).toMatchObject({
    code: 0,
    notes: [expect.stringContaining("pulumi-lvs up --stack prod --plan plan/prod.json --yes")],
  });
});

test("up and drift give Pulumi the key and the hosts' keys, in folders of any name", () => {
  const folder = join(place, "a folder");
  mkdirSync(folder);
  for (const name of ["ssh_config", "known_hosts", "key"]) writeFileSync(join(folder, name), "");
  const show = 'cat "$LVS_SSH_CONFIG"; printf "check: %s\\n" "$PULUMI_SKIP_UPDATE_CHECK"; exit 7';
  program("pulumi", show);
  const of = (more: Record<string, string>) => run(["drift", "prod"], more, folder).stdout;
  const relative = of({ LVS_SSH_KEY_FILE: "key" });
  expect(relative).toContain(`IdentityFile "${folder}/key"`);
  expect(relative).toContain(`UserKnownHostsFile "${folder}/known_hosts"`);
  expect(relative).toContain("check: true");
  expect(of({ LVS_SSH_KEY_FILE: "/keys/key" })).toContain('IdentityFile "/keys/key"');
  expect(of({ LVS_SSH_KEY: "text", TMPDIR: folder })).toMatch(/IdentityFile "\/.*\/a folder\/.*\/key"/);
});

const noPlan = "There is no plan: see the log of the job.";
const refused = "A policy refuses this update: see the log of the job.";
const notEvaluated = "The policies could not be evaluated: see the log of the job.";
const violation = "printf '%s\\n' '    - [mandatory] [severity: high]  host-key  (x: y)'; exit 1";

test.each([
  { what: "a plan", code: 0, text: "**web1**" },
  { what: "a plan with a change that up refuses", plan: 13, code: 13, text: "**web1**" },
  { what: "a plan that fails", plan: 1, code: 1, text: noPlan },
  { what: "hosts that are not read", plan: 14, code: 14, text: noPlan },
  { what: "a violation", policy: violation, code: 1, text: `**web1**\n\n${refused}` },
  { what: "a pack that is not there", policy: "exit 1", code: 1, text: `**web1**\n\n${notEvaluated}` },
])("preview writes the stack's part of the comment after $what", ({ plan = 0, policy = "", code, text }) => {
  mkdirSync(join(place, "ci"));
  inPlace("ci/policy.json", "{}");
  for (const name of ["md", "json"]) inPlace(`plan/prod.${name}`, "of an older commit");
  // a plan that fails may have printed a part of it
  program("npx", `printf '%s\\n' '**web1**'; printf '{}' >plan/prod.json; exit ${plan}`);
  program("pulumi", `[ "$1" = stack ] || { :\n${policy}\n}`);
  expect(run(["preview", "prod"]).code).toBe(code);
  expect(
    readFileSync(join(place, "plan/prod.md"), "utf8")
      .trim()
      .replace(/\n{3,}/, "\n\n"),
  ).toBe(`### prod\n\n${text}`);
  expect(existsSync(join(place, "plan/prod.json"))).toBe(text === "**web1**");
});
