import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
// @ts-expect-error It has no types: users copy the file as it is.
import { runCommand } from "../../../examples/ci/service.mjs";

const script = join(__dirname, "../../../examples/ci/service.mjs");
let place: string;

/** Requests that the service got, and what it has. */
let requests: string[] = [];
let lists: Record<string, object[]> = {};
let runs: Record<string, object> = {};
const packages = new Map<string, string>();

const server = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => {
    const [path = ""] = request.url?.split("?") ?? [];
    const kind = path.split("/").at(-1) ?? "";
    if (request.method !== "GET") requests.push(`${request.method} ${path} ${body}`);
    if (path.includes("/packages/")) {
      if (request.method === "PUT") packages.set(path, body);
      const found = packages.get(path);
      response.statusCode = found === undefined ? 404 : 200;
      return response.end(found ?? "");
    }
    if (path.endsWith("/fails/issues/7/comments")) response.statusCode = 403;
    response.setHeader("content-type", "application/json");
    const list = lists[kind] ?? [];
    const page = Number(new URL(request.url ?? "", "http://x").searchParams.get("page") ?? 1);
    if (kind === "user") return response.end('{ "id": 5 }');
    if (path.includes("/actions/runs/")) return response.end(JSON.stringify(runs[kind]));
    if (kind === "artifacts") return response.end(JSON.stringify({ artifacts: list }));
    response.end(JSON.stringify(list.slice((page - 1) * 100, page * 100)));
  });
});

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "lvs-service-"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

afterAll(async () => {
  await new Promise((done) => server.close(done));
  rmSync(place, { recursive: true, force: true });
});

const file = (name: string, text: string) => {
  const path = join(place, name);
  writeFileSync(path, text);
  return path;
};

const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Runs a command, and returns its requests that change something, and what it prints. */
async function run(
  env: Record<string, string>,
  ...args: string[]
): Promise<{ sent: string[]; text: string }> {
  requests = [];
  const result = await runCommand(args, env).catch((error: Error) => error.message);
  return { sent: requests, text: typeof result === "string" ? result : "" };
}

const github = (repository = "own/shop") => ({
  ...{ GITHUB_ACTIONS: "true", GITHUB_API_URL: base(), GITHUB_REPOSITORY: repository },
  ...{ GITHUB_TOKEN: "planted-token", LVS_PULL_REQUEST: "7" },
});

const gitlab = () => ({
  ...{ GITLAB_CI: "true", CI_API_V4_URL: base(), CI_PROJECT_ID: "3", CI_MERGE_REQUEST_IID: "7" },
  ...{ LVS_GITLAB_TOKEN: "planted-token", CI_JOB_TOKEN: "planted-job-token" },
});

const mark = "<!-- pulumi-lvs plan -->";
const others = Array.from({ length: 100 }, (_, id) => ({
  ...{ id, body: mark, user: { type: "User" }, author: { id: 1 } },
}));

test("GitHub: one comment of all plans, which is edited when it is there", async () => {
  const [one, two] = [file("a.md", "# a\n"), file("b.md", "# b\n")];
  lists = { comments: others };
  const first = await run(github(), "comment", one, two);
  expect(first.sent).toEqual([`POST /repos/own/shop/issues/7/comments {"body":"${mark}\\n# a\\n\\n# b"}`]);
  lists = { comments: [...others, { id: 300, body: `${mark}\nold`, user: { type: "Bot" } }] };
  const second = await run(github(), "comment", one);
  expect(second.sent).toEqual([`PATCH /repos/own/shop/issues/comments/300 {"body":"${mark}\\n# a"}`]);
});

test("the comment names the commit, and a stack without a plan", async () => {
  lists = {};
  const missing = join(place, "prod.md");
  const body = `${mark}\\nPlan of the commit abc1.\\n\\n# a\\n\\n### prod\\n\\nThere is no plan: see the log of the job.`;
  const files = [file("a.md", "# a"), missing];
  expect((await run({ ...github(), LVS_COMMIT: "abc1" }, "comment", ...files)).sent[0]).toContain(body);
  expect((await run({ ...gitlab(), CI_COMMIT_SHA: "abc1" }, "comment", ...files)).sent[0]).toContain(body);
});

test("a long plan leaves the others whole, and what is open in it is closed", async () => {
  lists = {};
  const lines = ["<details>", "<summary>h</summary>", "", "````text"];
  const within = ["```", "</details>", `${"x".repeat(90)}`];
  const text = [...lines, ...Array(1000).fill(within).flat(), "````", "", "</details>"].join("\n");
  const [long, short] = [file("test.md", text), file("short.md", "### prod\nwhole")];
  const [sent = ""] = (await run(github(), "comment", long, short)).sent;
  const { body } = JSON.parse(sent.slice(sent.indexOf("{")));
  expect(body.length).toBeLessThan(60_000);
  expect(body).toMatch(
    /\nx{90}\n(```\n(<\/details>\n)?)?````\n\n<\/details>\n\n… the rest is in the artifact of the job\.\n\n### prod\nwhole$/,
  );
});

test("GitHub: a text that is too long is cut, and an error names the request and no token", async () => {
  lists = {};
  const { sent } = await run(github(), "comment", file("long.md", "x".repeat(100_000)));
  expect(sent[0]?.length).toBeLessThan(61_000);
  expect(sent[0]).toContain("the rest is in the artifact of the job");
  const failed = await run(github("fails"), "comment", file("a.md", "a"));
  expect(failed.text).toBe("cannot GET /issues/7/comments?per_page=100&page=1: HTTP status 403");
});

test("GitHub: one issue is opened, updated, and closed when hosts are as declared", async () => {
  const drift = file("drift.md", "weight");
  lists = { issues: [{ number: 1, title: "Drift of prod", user: { type: "User" } }] };
  expect((await run(github(), "issue", "Drift of prod", drift)).sent).toEqual([
    'POST /repos/own/shop/issues {"title":"Drift of prod","body":"weight"}',
  ]);
  lists = { issues: [{ number: 9, title: "Drift of prod", user: { type: "Bot" } }] };
  expect((await run(github(), "issue", "Drift of prod", drift)).sent).toEqual([
    'PATCH /repos/own/shop/issues/9 {"body":"weight"}',
  ]);
  const none = file("none.md", "");
  expect((await run(github(), "issue", "Drift of prod", none)).sent).toEqual([
    'PATCH /repos/own/shop/issues/9 {"state":"closed"}',
  ]);
  expect((await run(github(), "issue", "Drift of test", none)).sent).toEqual([]);
});

test("GitHub: the run of a plan is one of the preview's workflow, from the target branch", async () => {
  const trusted = ".github/workflows/lvs-preview.yml";
  const all = {
    // pushed to a branch of the repository itself
    11: { event: "push", path: trusted },
    12: { event: "pull_request_target", path: ".github/workflows/other.yml" },
    13: { event: "pull_request_target", path: trusted },
    14: { event: "pull_request_target", path: `${trusted}@refs/heads/main` },
    15: { event: "pull_request", path: trusted },
  };
  runs = all;
  const of = (id: number, expired = false) => ({
    expired,
    // of a fork's pull request, this is the fork
    workflow_run: { id, head_repository_id: id === 14 ? 2 : 1, repository_id: 1 },
  });
  const found = async (...artifacts: object[]) => {
    lists = { artifacts };
    return (await run(github(), "run", "lvs-plan-prod-abc")).text;
  };
  expect(await found(of(11), of(12), of(13, true), of(14), of(13))).toBe("14");
  expect(await found(of(15), of(13))).toBe("13");
  expect(await found(of(11), of(12), of(15))).toMatch(
    /there is no plan lvs-plan-prod-abc of \.github\/workflows\/lvs-preview\.yml/,
  );
  expect(await found()).toMatch(/there is no plan/);
});

test("GitLab: one comment, one issue, and plans in the package registry", async () => {
  const [one, none, to] = [file("a.md", "a"), file("none.md", ""), join(place, "loaded")];
  lists = { notes: [...others, { id: 300, body: mark, author: { id: 5 } }], issues: [] };
  expect((await run(gitlab(), "comment", one)).sent).toEqual([
    `PUT /projects/3/merge_requests/7/notes/300 {"body":"${mark}\\na"}`,
  ]);
  expect((await run(gitlab(), "issue", "Drift of prod", one)).sent).toEqual([
    'POST /projects/3/issues {"title":"Drift of prod","description":"a"}',
  ]);
  lists = { issues: [{ iid: 4, title: "Drift of prod" }] };
  expect((await run(gitlab(), "issue", "Drift of prod", none)).sent).toEqual([
    'PUT /projects/3/issues/4 {"state_event":"close"}',
  ]);
  expect((await run(gitlab(), "load", "lvs-plan-prod-abc", to)).text).toMatch(/HTTP status 404/);
  await run(gitlab(), "store", "lvs-plan-prod-abc", file("plan.json", "{}"));
  await run(gitlab(), "load", "lvs-plan-prod-abc", to);
  expect(readFileSync(to, "utf8")).toBe("{}");
  expect((await run(gitlab(), "run", "x")).text).toMatch(/run is not a command here/);
});

test("a plain remote: a branch has one file for each comment, issue and plan", async () => {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: place, encoding: "utf8", stdio: "pipe" });
  git("init", "-q", "--bare", "remote.git");
  git("init", "-q");
  git("remote", "add", "origin", join(place, "remote.git"));
  const { PATH = "", HOME = "" } = process.env;
  const options = {
    cwd: place,
    env: { PATH, HOME, LVS_PULL_REQUEST: "change/1" },
    encoding: "utf8",
  } as const;
  const run = (...args: string[]) => execFileSync(process.execPath, [script, ...args], options);
  const [a, b, none] = [file("a.md", "a"), file("b.md", "b"), file("none.md", "")];
  for (const args of [
    ["comment", a],
    ["comment", b],
    ["issue", "Drift of prod", a],
    ["issue", "Drift of test", a],
  ])
    expect(run(...args)).toBe("");
  expect(run("store", "lvs-plan-prod-abc", b)).toBe("");
  expect(run("issue", "Drift of test", none)).toBe("");
  const seen = git("--git-dir=remote.git", "ls-tree", "-r", "--name-only", "lvs-ci").trim().split("\n");
  expect(seen).toEqual(["comments/change-1.md", "issues/Drift-of-prod.md", "plans/lvs-plan-prod-abc.json"]);
  expect(git("--git-dir=remote.git", "show", "lvs-ci:comments/change-1.md")).toBe(`${mark}\nb`);
  const to = join(place, "loaded");
  expect(run("load", "lvs-plan-prod-abc", to)).toBe("");
  expect(readFileSync(to, "utf8")).toBe("b");
});
