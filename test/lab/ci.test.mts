import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pulumiEnv } from "../../scripts/pulumi-env.mjs";
import { run, sshConfigPath } from "../support/machines/lab.mts";
import { differences, statesOf } from "./host-state.mts";
import { ask, onLab } from "./setup.mts";
import type { Answer } from "./stack.mts";

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const stack = (weight: number) => `config:
  lvs:clusters:
    dr:
      kind: dr
      director: { connection: { host: director }, interface: eth1 }
      vips: [192.168.0.210]
      services: [{ port: 80, scheduler: wlc }]
      realServers:
        - { name: rs1, address: 192.168.0.221, weight: ${weight}, connection: { host: rs1 } }
        - { name: rs2, address: 192.168.0.222, connection: { host: rs2 } }
`;

// examples/ci with a bare remote in place of the service, and a new clone in place of each runner
onLab("the scripts of examples/ci", () => {
  let place: string;
  let env: NodeJS.ProcessEnv;
  let runners = 0;

  const start = (cwd: string, program: string, args: readonly string[], more: object = {}): Promise<Answer> =>
    new Promise((resolve) => {
      const options = { cwd, env: { ...env, ...more }, maxBuffer: 2 ** 26 };
      execFile(program, args, options, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
      );
    });

  const must = async (...args: Parameters<typeof start>): Promise<string> => {
    const { code, text } = await start(...args);
    expect(code, text).toBe(0);
    return text.trim();
  };

  const git = (cwd: string, ...args: string[]) =>
    must(join(place, cwd), "git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args]);

  /** A runner's clone of the branch `main`, with the package installed. */
  async function runner(): Promise<string> {
    const folder = join(place, `runner-${runners++}`);
    await must(place, "git", ["clone", "-q", "remote.git", folder]);
    for (const part of ["clusters.js", "dist", "node_modules", "package.json"])
      await symlink(join(checkout, part), join(folder, part));
    return folder;
  }

  /** Pushes a change of the stack as a branch, and does what the job of a pull request does. Returns the comment. */
  async function review(branch: string, weight: number): Promise<string> {
    await git("work", "checkout", "-q", "-b", branch, "main");
    await writeFile(join(place, "work/Pulumi.lab.yaml"), stack(weight));
    await git("work", "commit", "-qam", branch);
    await git("work", "push", "-q", "origin", branch);
    const folder = await runner();
    const without = { LVS_SSH_KEY: "", LVS_SSH_CONFIG: "/nowhere/ssh_config", LVS_PULL_REQUEST: branch };
    expect(await must(folder, "ci/ci.sh", ["take", `origin/${branch}`], without)).toBe("yaml");
    await must(folder, "ci/ci.sh", ["preview", "lab"], without);
    const name = await must(folder, "ci/ci.sh", ["name", "lab"]);
    await must(folder, "node", ["ci/service.mjs", "store", name, "plan/lab.json"]);
    await must(folder, "node", ["ci/service.mjs", "comment", "plan/lab.md"], without);
    return git("remote.git", "show", `lvs-ci:comments/${branch}.md`);
  }

  /** Merges a branch, and returns the clone of the runner that is to update. */
  async function merge(branch: string): Promise<string> {
    await git("work", "checkout", "-q", "main");
    await git("work", "merge", "-q", "--no-ff", "--no-edit", branch);
    await git("work", "push", "-q", "origin", "main");
    const folder = await runner();
    await mkdir(join(folder, "plan"));
    return folder;
  }

  async function load(folder: string): Promise<Answer> {
    const name = await must(folder, "ci/ci.sh", ["name", "lab"]);
    return start(folder, "node", ["ci/service.mjs", "load", name, "plan/lab.json"]);
  }

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "lvs-ci-"));
    for (const folder of ["state", "work/ci"]) await mkdir(join(place, folder), { recursive: true });
    const config = await readFile(sshConfigPath(), "utf8");
    const named = (word: string) => new RegExp(`${word} (.*)`).exec(config)?.[1] ?? "";
    const { LVS_SSH_CONFIG: _, SSH_AUTH_SOCK: __, ...rest } = process.env;
    env = {
      ...rest,
      ...pulumiEnv(join(place, "state")),
      PULUMI_CONFIG_PASSPHRASE: "lab",
      LVS_SSH_KEY: (await readFile(named("IdentityFile"), "utf8")).trim(),
      NODE_COMPILE_CACHE: join(checkout, "node_modules", ".cache", "compiled"),
      NODE_OPTIONS: `--require "${join(import.meta.dirname, "lean-sdk.cjs")}"`,
      LVS_PLAIN_JAVASCRIPT: "true",
    };
    const put = (file: string, text: string) => writeFile(join(place, "work", file), text);
    for (const name of ["ci.sh", "service.mjs"])
      await cp(join(checkout, "examples/ci", name), join(place, "work/ci", name));
    // the repository has addresses and host keys, and no key
    await put("ssh_config", config.replaceAll(/^ *(IdentityFile|UserKnownHostsFile) .*\n/gm, ""));
    await put("known_hosts", await readFile(named("UserKnownHostsFile"), "utf8"));
    await cp(join(checkout, "Pulumi.yaml"), join(place, "work/Pulumi.yaml"));
    await put("Pulumi.lab.yaml", "config:\n  lvs:clusters: {}\n");
    await put(".gitignore", "clusters.js\nnode_modules\ndist\nplan\npackage.json\n");
    await git(".", "init", "-q", "--bare", "-b", "main", "remote.git");
    await git("work", "init", "-q", "-b", "main");
    await git("work", "remote", "add", "origin", "../remote.git");
    await must(join(place, "work"), "pulumi", ["stack", "init", "lab", "--non-interactive"]);
    await put("Pulumi.lab.yaml", "config:\n  lvs:clusters: {}\n");
    await git("work", "add", ".");
    await git("work", "commit", "-qm", "base");
    await git("work", "push", "-q", "origin", "main");
  });

  afterAll(() => rm(place, { recursive: true, force: true }));

  it("plan a cluster without a host or a key, and make just that after the merge", async () => {
    const comment = await review("cluster", 1);
    expect(comment).toMatch(/^<!-- pulumi-lvs plan -->\n### lab\n[\s\S]*director: \d+ lines/);
    expect(comment).toContain("ipvsadm -a -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w 1");
    const folder = await merge("cluster");
    expect((await start(folder, "ci/ci.sh", ["up", "lab"])).text).toMatch(
      /there is no plan\/lab\.json of this tree/,
    );
    expect((await load(folder)).code).toBe(0);
    await must(folder, "ci/ci.sh", ["up", "lab"]);
    expect(Object.keys(await ask("http://192.168.0.210/", 6)).sort()).toEqual(["rs1", "rs2"]);
  });

  it("roll an update back that its verification refuses, and refuse one that is not in the plan", async () => {
    const comment = await review("weight", 3);
    expect(comment).toContain("ipvsadm -e -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w 3");
    const folder = await merge("weight");
    expect((await load(folder)).code).toBe(0);
    const before = await statesOf(["director"]);
    const refused = await start(folder, "ci/ci.sh", ["up", "lab"], { LVS_VERIFY: "false" });
    expect(refused.code, refused.text).toBe(10);
    expect(differences(before, await statesOf(["director"]))).toEqual([]);

    // the merge of another change, which no preview has seen
    await writeFile(join(place, "work/Pulumi.lab.yaml"), stack(5));
    await git("work", "commit", "-qam", "more");
    await git("work", "push", "-q", "origin", "main");
    const later = await runner();
    await mkdir(join(later, "plan"));
    expect((await load(later)).code).not.toBe(0);
    await cp(join(folder, "plan/lab.json"), join(later, "plan/lab.json"));
    const other = await start(later, "ci/ci.sh", ["up", "lab"]);
    expect(other.code, other.text).toBe(12);
    expect(other.text).toMatch(/cannot run the plan: the update differs from it, and nothing was changed/);
    expect(differences(before, await statesOf(["director"]))).toEqual([]);
  });

  it("open one issue for hosts that differ, and close it when they do no more", async () => {
    const folder = await runner();
    const drift = async (): Promise<Answer> => {
      const answer = await start(folder, "ci/ci.sh", ["drift", "lab"]);
      await writeFile(join(folder, "drift.md"), answer.text);
      await must(folder, "node", ["ci/service.mjs", "issue", "Drift of lab", "drift.md"]);
      return answer;
    };
    const edit = (weight: number) =>
      run("director", `ipvsadm -e -t 192.168.0.210:80 -r 192.168.0.221:80 -g -w ${weight}`);
    await edit(7);
    expect((await drift()).code).toBe(7);
    expect(await git("remote.git", "show", "lvs-ci:issues/Drift-of-lab.md")).toMatch(/weight *: *1 => 7/);
    await edit(1);
    expect(await drift()).toEqual({ code: 0, text: "" });
    expect(await git("remote.git", "ls-tree", "-r", "--name-only", "lvs-ci")).not.toContain("issues/");
    // no key stays behind on a runner
    expect(await must(folder, "git", ["status", "--porcelain", "--ignored"])).not.toMatch(/key/);
  });
});
