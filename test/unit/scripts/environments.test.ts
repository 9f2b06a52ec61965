import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

const repository = join(__dirname, "../../..");

// Stands in for the CLI: it knows the stack `prod`, and writes down how it was run.
const pulumi = `#!/bin/sh
case $1 in
version) echo v3.258.0 ;;
stack) case "$*" in *--stack\\ prod*|*init*) ;; *) echo "error: no stack named 'x' found" >&2; exit 6 ;; esac ;;
esac
printf '%s in %s\\n' "$*" "$PULUMI_BACKEND_URL" >>"$RUNS"
case $* in *--fail*) exit 9 ;; esac
`;

/** A checkout with the scripts and some environments, an empty home, and a CLI that only notes its runs. */
function checkoutWith(...environments: string[]) {
  const place = realpathSync(mkdtempSync(join(tmpdir(), "lvs-environments-")));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const [folder, bin, cache] = ["checkout", "bin", "cache"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [folder, bin]) mkdirSync(one);
  cpSync(join(repository, "scripts"), join(folder, "scripts"), { recursive: true });
  for (const name of ["example", ...environments]) writeFileSync(join(folder, `Pulumi.${name}.yaml`), "");
  for (const name of ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]) {
    writeFileSync(join(bin, name), pulumi);
    chmodSync(join(bin, name), 0o755);
  }
  const runs = join(place, "runs");
  const run = (script: string, args: string[], env: Record<string, string> = {}) => {
    const { PATH = "" } = process.env;
    const given = { PATH, HOME: join(place, "home"), PULUMI_LVS_CACHE: cache, PULUMI_LVS_PULUMI: bin };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(folder, "scripts", script), ...args],
      {
        cwd: place,
        env: { ...given, RUNS: runs, ...env },
        encoding: "utf8",
      },
    );
    return { code: status, out: stdout, err: stderr };
  };
  const hash = createHash("sha256").update(folder).digest("hex").slice(0, 12);
  return {
    place,
    folder,
    cache,
    old: join(cache, "state", hash),
    run,
    ran: () =>
      (existsSync(runs) ? readFileSync(runs, "utf8") : "").split("\n").filter((one) => /^(up|pre)/.test(one)),
  };
}

const secret = { PULUMI_CONFIG_PASSPHRASE: "mine" };

describe("npm run up and npm run preview", () => {
  test.each([
    [[], "cannot up: no environment is named; write npm run up -- ENV; the environments are lab, prod\n"],
    [
      ["--yes"],
      "cannot up: no environment is named; write npm run up -- ENV; the environments are lab, prod\n",
    ],
    [
      ["prud"],
      "cannot up prud: there is no Pulumi.prud.yaml (Pulumi.example.yaml is one to copy); the environments are lab, prod\n",
    ],
  ])("list the environments in one line after %j", (args, line) => {
    const { run, ran } = checkoutWith("prod", "lab");
    expect(run("environment.mjs", ["up", ...args], secret)).toEqual({ code: 2, out: "", err: line });
    expect(ran()).toEqual([]);
  });

  test("say where state and passphrase are, and give flags and exit code of Pulumi", () => {
    const { run, ran, folder } = checkoutWith("prod");
    const done = run("environment.mjs", ["preview", "prod", "--diff"], secret);
    expect(done).toEqual({
      code: 0,
      out: "",
      err: "prod: state in ./.state, passphrase of PULUMI_CONFIG_PASSPHRASE\n",
    });
    expect(run("environment.mjs", ["up", "prod", "--fail"], secret).code).toBe(9);
    const state = `file://${join(folder, ".state")}`;
    expect(ran()).toEqual([`preview --stack prod --diff in ${state}`, `up --stack prod --fail in ${state}`]);
    expect(statSync(join(folder, ".state")).mode & 0o777).toBe(0o700);
  });

  test("take the backend that is set, and print no password of it", () => {
    const { run, ran, folder } = checkoutWith("prod");
    const url = "postgres://me:hu@sh:hush@db/state?password=hush&sslmode=disable";
    const { code, err } = run("environment.mjs", ["preview", "prod"], { ...secret, PULUMI_BACKEND_URL: url });
    expect(code, err).toBe(0);
    expect(err).toMatch(
      /^prod: state in postgres:\/\/db\/state\?password=…&sslmode=disable \(PULUMI_BACKEND_URL\), /,
    );
    expect(err).not.toContain("hush");
    expect(ran()).toEqual([`preview --stack prod in ${url}`]);
    expect(existsSync(join(folder, ".state"))).toBe(false);
  });

  test("take the backend of Pulumi.yaml", () => {
    const { run, ran, folder } = checkoutWith("prod");
    writeFileSync(join(folder, "Pulumi.yaml"), "name: lvs\nbackend:\n  url: s3://ours\n");
    const { code, err } = run("environment.mjs", ["up", "prod"], secret);
    expect(code, err).toBe(0);
    expect(err).toMatch(/^prod: state in s3:\/\/ours \(Pulumi\.yaml\), /);
    expect(ran()).toEqual(["up --stack prod in s3://ours"]);
  });

  test("ask for a passphrase in one line, unless another service encrypts", () => {
    const { run, ran, folder } = checkoutWith("prod");
    expect(run("environment.mjs", ["up", "prod"])).toEqual({
      code: 2,
      out: "",
      err: "cannot up prod: no passphrase is set, by which its secrets are encrypted; set PULUMI_CONFIG_PASSPHRASE_FILE to a file with a passphrase of yours, or PULUMI_CONFIG_PASSPHRASE to the passphrase, and keep a copy elsewhere\n",
    });
    expect(ran()).toEqual([]);
    expect(
      run("environment.mjs", ["up", "prod"], { PULUMI_BACKEND_URL: "https://api.pulumi.com" }).code,
    ).toBe(0);
    writeFileSync(join(folder, "Pulumi.prod.yaml"), 'secretsprovider: "awskms://alias/lvs"\n');
    expect(run("environment.mjs", ["up", "prod"]).code).toBe(0);
  });

  test("say when a new stack was made", () => {
    const { run } = checkoutWith("new");
    const { code, err } = run("environment.mjs", ["preview", "new"], secret);
    expect(code, err).toBe(0);
    expect(err).toMatch(/^new: there was no such stack, so a new one was made$/m);
  });

  test("scripts/pulumi-env.mjs makes no passphrase, and says what to set", () => {
    const { run, cache } = checkoutWith("prod");
    const { out, err } = run("pulumi-env.mjs", []);
    expect(out).toMatch(/^export PULUMI_BACKEND_URL='file:\/\/.*\/checkout\/\.state'$/m);
    expect(out).not.toMatch(/PASSPHRASE|PULUMI_HOME/);
    expect(err).toMatch(/^state: \.\/\.state\nno passphrase is set: set PULUMI_CONFIG_PASSPHRASE_FILE .*\n$/);
    expect(existsSync(join(cache, "passphrase"))).toBe(false);
  });
});

/** Writes a backend of files with one stack. */
function stackIn(folder: string, name: string): void {
  const files = { "meta.yaml": "version: 1\n", [`stacks/lvs/${name}.json`]: `{"stack":"${name}"}` };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, ".pulumi", file, ".."), { recursive: true });
    writeFileSync(join(folder, ".pulumi", file), content);
  }
}

/** Returns an environment in which a script does something before a call of a function of node:fs. */
function preload(place: string, call: string, condition: string, code: string): Record<string, string> {
  const file = join(place, "preload.cjs");
  const source = `const fs = require("node:fs");
const { existsSync, writeFileSync, ${call} } = fs;
fs.${call} = (name, ...more) => {
  if (${condition}) ${code};
  return ${call}(name, ...more);
};
require("node:module").syncBuiltinESMExports();
`;
  writeFileSync(file, source);
  return { NODE_OPTIONS: `--require "${file}"` };
}

describe("npm run move-state", () => {
  const cached = () => {
    const made = checkoutWith("prod");
    stackIn(made.old, "prod");
    writeFileSync(join(made.cache, "passphrase"), "made once");
    return made;
  };
  const moved = (made: ReturnType<typeof cached>) => ({
    state: readFileSync(join(made.folder, ".state/.pulumi/stacks/lvs/prod.json"), "utf8"),
    passphrase: readFileSync(join(made.place, "home/.config/pulumi-lvs/passphrase"), "utf8"),
    old: readdirSync(join(made.cache, "state")).map((name) => name.replace(/\d+$/, "N")),
    left: readdirSync(made.folder).filter((name) => name.startsWith(".state")),
  });
  const all = (made: ReturnType<typeof cached>) => ({
    state: '{"stack":"prod"}',
    passphrase: "made once",
    old: [`${made.old.split("/").at(-1)}.moved-N`],
    left: [".state"],
  });

  test("is requested as long as the stack is in the cache, and deletes nothing", () => {
    const made = cached();
    const refused = made.run("environment.mjs", ["preview", "prod"], secret);
    expect(refused.code).toBe(2);
    expect(refused.err).toBe(
      `cannot preview prod: its state is in ${made.old}, where a cleaned cache loses it; run npm run move-state\n`,
    );
    const { code, out, err } = made.run("move-state.mjs", []);
    expect(code, err).toBe(0);
    expect(out).toMatch(/^moved lvs\/prod to \.\/\.state, /);
    expect(out).toMatch(
      /^passphrase: export PULUMI_CONFIG_PASSPHRASE_FILE=.*\/home\/\.config\/pulumi-lvs\/passphrase, /m,
    );
    expect(moved(made)).toEqual(all(made));
    expect(statSync(join(made.place, "home/.config/pulumi-lvs/passphrase")).mode & 0o777).toBe(0o600);
    expect(statSync(join(made.folder, ".state")).mode & 0o777).toBe(0o700);
    expect(made.run("environment.mjs", ["preview", "prod"], secret).code).toBe(0);
    const again = made.run("move-state.mjs", []);
    expect(again.code).toBe(1);
    expect(again.err).toMatch(
      /^cannot move the state: there is no stack in .*; nothing was changed in .*\n$/,
    );
  });

  test.each([
    [
      "in the middle of the copy",
      (made: ReturnType<typeof cached>) => {
        mkdirSync(join(made.folder, ".state.moving-99/.pulumi"), { recursive: true });
      },
    ],
    ["after the copy", (made: ReturnType<typeof cached>) => stackIn(join(made.folder, ".state"), "prod")],
    [
      "after Pulumi has looked at an empty folder",
      (made: ReturnType<typeof cached>) => {
        mkdirSync(join(made.folder, ".state/.pulumi"), { recursive: true });
        writeFileSync(join(made.folder, ".state/.pulumi/meta.yaml"), "version: 1\n");
      },
    ],
    [
      "while it wrote the passphrase",
      (made: ReturnType<typeof cached>) => {
        mkdirSync(join(made.place, "home/.config/pulumi-lvs"), { recursive: true });
        writeFileSync(join(made.place, "home/.config/pulumi-lvs/passphrase.moving"), "made");
      },
    ],
    [
      "after it wrote the passphrase",
      (made: ReturnType<typeof cached>) => {
        const folder = join(made.place, "home/.config/pulumi-lvs");
        mkdirSync(folder, { recursive: true });
        for (const name of ["passphrase", "passphrase.moving"])
          writeFileSync(join(folder, name), "made once");
      },
    ],
  ])("goes on where it was interrupted %s", (_, interrupted) => {
    const made = cached();
    interrupted(made);
    const { code, err } = made.run("move-state.mjs", []);
    expect(code, err).toBe(0);
    expect(moved(made)).toEqual(all(made));
    expect(readdirSync(join(made.place, "home/.config/pulumi-lvs"))).toEqual(["passphrase"]);
  });

  test("leaves no part of the passphrase under another name after a kill and a second run", () => {
    const made = cached();
    const killed = preload(
      made.place,
      "rmSync",
      'String(name).includes("/pulumi-lvs/passphrase.") && existsSync(name)',
      "process.kill(process.pid, 'SIGKILL')",
    );
    expect(made.run("move-state.mjs", [], killed).code).toBe(null);
    const { code, err } = made.run("move-state.mjs", []);
    expect(code, err).toBe(0);
    expect(moved(made)).toEqual(all(made));
    expect(readdirSync(join(made.place, "home/.config/pulumi-lvs"))).toEqual(["passphrase"]);
  });

  test.each([
    ["holds a lock", ".pulumi/locks/lvs/prod/1.json"],
    ["has ended", ".pulumi/stacks/lvs/prod.json"],
  ])("changes nothing if a run began while it copied, which now %s", (_, file) => {
    const made = cached();
    const written = join(made.old, file);
    mkdirSync(dirname(written), { recursive: true });
    const code = `writeFileSync(${JSON.stringify(written)}, "{}")`;
    const begun = preload(made.place, "renameSync", `name === ${JSON.stringify(made.old)}`, code);
    const { code: ended, out, err } = made.run("move-state.mjs", [], begun);
    expect({ ended, out, err }).toEqual({
      ended: 1,
      out: "",
      err: `cannot move the state: a run began in ${made.old} while it was copied; wait for it, and repeat this; nothing was changed in ${made.old}\n`,
    });
    expect(readFileSync(written, "utf8")).toBe("{}");
    expect(readdirSync(made.folder).filter((name) => name.startsWith(".state"))).toEqual([]);
    expect(readdirSync(join(made.cache, "state"))).toEqual([made.old.split("/").at(-1)]);
  });

  test.each([
    [
      "other stacks",
      (made: ReturnType<typeof cached>) => stackIn(join(made.folder, ".state"), "other"),
      /has other stacks already \(lvs\/other\)/,
    ],
    [
      "a lock",
      (made: ReturnType<typeof cached>) => {
        mkdirSync(join(made.old, ".pulumi/locks/lvs/prod"), { recursive: true });
        writeFileSync(join(made.old, ".pulumi/locks/lvs/prod/1.json"), "{}");
      },
      /a run holds a lock/,
    ],
    [
      "another passphrase",
      (made: ReturnType<typeof cached>) => {
        mkdirSync(join(made.place, "home/.config/pulumi-lvs"), { recursive: true });
        writeFileSync(join(made.place, "home/.config/pulumi-lvs/passphrase"), "another");
      },
      /has another passphrase; name another file by --passphrase-file/,
    ],
  ])("refuses to overwrite: %s", (_, prepare, why) => {
    const made = cached();
    prepare(made);
    const files = () => readdirSync(made.place, { recursive: true }).sort();
    const present = files();
    const { code, err } = made.run("move-state.mjs", []);
    expect(code).toBe(1);
    expect(err).toMatch(why);
    expect(files()).toEqual(present);
  });

  test("names the folders of a checkout that was moved, and takes one by --from", () => {
    const made = cached();
    const elsewhere = join(made.cache, "state", "of-another-path");
    cpSync(made.old, elsewhere, { recursive: true });
    rmSync(made.old, { recursive: true });
    expect(made.run("move-state.mjs", []).err).toContain(`by --from: ${elsewhere} (lvs/prod)`);
    writeFileSync(join(made.folder, "Pulumi.new.yaml"), "");
    cpSync(join(elsewhere, ".pulumi/stacks/lvs/prod.json"), join(elsewhere, ".pulumi/stacks/lvs/new.json"));
    expect(made.run("environment.mjs", ["preview", "new"], secret).err).toContain(
      `new: if this checkout was moved, its stack may be in ${elsewhere}; `,
    );
    rmSync(join(elsewhere, ".pulumi/stacks/lvs/new.json"));
    expect(made.run("move-state.mjs", ["--from", elsewhere]).code).toBe(0);
    expect(moved(made).state).toBe('{"stack":"prod"}');
  });
});
