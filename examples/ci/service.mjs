#!/usr/bin/env node
// Talks to the service that hosts the repository. docs/ci.md explains it.
//
//   service.mjs comment FILE...    writes one comment of the pull request, and edits it from then on. A FILE
//                                  that is not there is a stack without a plan.
//   service.mjs issue TITLE FILE   opens an issue, or updates the open one of that title. It closes it if FILE is empty.
//   service.mjs store NAME FILE    keeps a plan (GitLab, git). GitHub has actions/upload-artifact.
//   service.mjs load NAME FILE     gets it again (GitLab, git).
//   service.mjs run NAME           prints the number of the run of lvs-preview.yml on GitHub whose artifact has the name.
//
// On GitHub it needs GITHUB_TOKEN and, for a comment, LVS_PULL_REQUEST and LVS_COMMIT. On GitLab it needs LVS_GITLAB_TOKEN with the
// scope `api`. Elsewhere, the branch `lvs-ci` of the remote `origin` has the files.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

const mark = "<!-- pulumi-lvs plan -->";
/** The workflow for GitHub whose plans are trusted. */
const preview = ".github/workflows/lvs-preview.yml";
/** Both services refuse longer texts. */
const longest = 60_000;

/** Cuts a text of Markdown at the end of a line. Closes what is open there: a block of text, and sections. */
function cut(text, most) {
  if (text.length <= most) return text;
  const lines = text.slice(0, most).split("\n");
  // the last one may be a part of a line
  if (lines.length > 1) lines.pop();
  let fence = "";
  let sections = 0;
  for (const line of lines) {
    const [mark = ""] = /^`{3,}/.exec(line) ?? [];
    if (fence === "") fence = mark;
    else if (line === fence) fence = "";
    else continue;
    if (line === "<details>") sections++;
    if (line === "</details>") sections--;
  }
  const ends = [...(fence ? [fence] : []), ...Array(sections).fill("\n</details>")];
  return [...lines, ...ends, "", "… the rest is in the artifact of the job."].join("\n");
}

/** Returns the text of a file. Without the file, the job that writes it has failed before. */
function contentOf(file) {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return `### ${basename(file, ".md")}\n\nThere is no plan: see the log of the job.`;
  }
}

/** Returns the texts of the files. Each has its share of what the service takes. */
const textOf = (/** @type {string[]} */ files) =>
  files.map((file) => cut(contentOf(file), Math.floor(longest / files.length) - 200)).join("\n\n");

/** Returns the line with the commit of the plans. */
const headOf = ({ LVS_COMMIT, CI_COMMIT_SHA }) => {
  const commit = LVS_COMMIT ?? CI_COMMIT_SHA;
  return commit ? `Plan of the commit ${commit}.\n\n` : "";
};

/** Returns the answer of an API as JSON. Its errors name the request, never the token. */
async function request(base, headers, method, path, body) {
  const response = await fetch(base + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`cannot ${method} ${path}: HTTP status ${response.status}`);
  return response.status === 204 ? undefined : response.json();
}

/** Returns the first element for which `find` holds, of all pages of a list. */
async function findIn(api, path, find) {
  for (let page = 1; ; page++) {
    const list = await api("GET", `${path}${path.includes("?") ? "&" : "?"}per_page=100&page=${page}`);
    const found = list.find(find);
    if (found || list.length < 100) return found;
  }
}

function github(env) {
  const headers = { authorization: `Bearer ${env.GITHUB_TOKEN}`, accept: "application/vnd.github+json" };
  const base = `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}`;
  const api = (method, path, body) => request(base, headers, method, path, body);
  return {
    async comment(body) {
      const list = `/issues/${env.LVS_PULL_REQUEST}/comments`;
      // A person may write the mark as well.
      const mine = (one) => one.body.startsWith(mark) && one.user.type === "Bot";
      const old = await findIn(api, list, mine);
      if (old) await api("PATCH", `/issues/comments/${old.id}`, { body });
      else await api("POST", list, { body });
    },
    async issue(title, body) {
      const mine = (one) => one.title === title && !one.pull_request && one.user.type === "Bot";
      const old = await findIn(api, "/issues?state=open", mine);
      if (body === "") return old && api("PATCH", `/issues/${old.number}`, { state: "closed" });
      return old ? api("PATCH", `/issues/${old.number}`, { body }) : api("POST", "/issues", { title, body });
    },
    async run(name) {
      const path = `/actions/artifacts?per_page=100&name=${encodeURIComponent(name)}`;
      const { artifacts } = await api("GET", path);
      for (const { expired, workflow_run: of } of artifacts) {
        if (expired) continue;
        // A run of any other workflow, such as one on a branch or in a fork, may store an artifact of any name.
        const run = await api("GET", `/actions/runs/${of.id}`);
        if (run.event === "pull_request_target" && run.path.split("@")[0] === preview) return String(of.id);
      }
      throw new Error(
        `there is no plan ${name} of ${preview}; make the preview again, with the target branch merged`,
      );
    },
  };
}

function gitlab(env) {
  const headers = { "private-token": env.LVS_GITLAB_TOKEN ?? "" };
  const base = `${env.CI_API_V4_URL}/projects/${env.CI_PROJECT_ID}`;
  const api = (method, path, body) => request(base, headers, method, path, body);
  const plan = (name) => `${base}/packages/generic/lvs-plan/1.0.0/${encodeURIComponent(name)}`;
  const job = { "job-token": env.CI_JOB_TOKEN ?? "" };
  const must = (response) => {
    if (!response.ok) throw new Error(`cannot reach the package registry: HTTP status ${response.status}`);
    return response;
  };
  return {
    async comment(body) {
      const list = `/merge_requests/${env.CI_MERGE_REQUEST_IID}/notes`;
      const { id } = await request(env.CI_API_V4_URL, headers, "GET", "/user");
      const old = await findIn(api, list, (one) => one.body.startsWith(mark) && one.author.id === id);
      if (old) await api("PUT", `${list}/${old.id}`, { body });
      else await api("POST", list, { body });
    },
    async issue(title, description) {
      const old = await findIn(api, "/issues?state=opened", (one) => one.title === title);
      if (description === "") return old && api("PUT", `/issues/${old.iid}`, { state_event: "close" });
      return old
        ? api("PUT", `/issues/${old.iid}`, { description })
        : api("POST", "/issues", { title, description });
    },
    async store(name, file) {
      must(await fetch(plan(name), { method: "PUT", headers: job, body: readFileSync(file) }));
    },
    async load(name, file) {
      const response = must(await fetch(plan(name), { headers: job }));
      writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    },
  };
}

/** A remote without a service: files on the branch `lvs-ci`. */
function git(env) {
  const run = (args, options = {}) =>
    execFileSync("git", args, { encoding: "utf8", stdio: ["pipe", "pipe", "inherit"], ...options });
  const tip = () => run(["ls-remote", "origin", "refs/heads/lvs-ci"]).split("\t")[0];
  const fetched = () => (tip() === "" ? undefined : run(["fetch", "-q", "origin", "lvs-ci"]) || "FETCH_HEAD");
  const write = (path, text) => {
    const dir = mkdtempSync(join(tmpdir(), "lvs-ci-"));
    try {
      const index = { env: { ...env, GIT_INDEX_FILE: join(dir, "index") } };
      const parent = fetched();
      if (parent) run(["read-tree", parent], index);
      const blob = run(["hash-object", "-w", "--stdin"], { input: text }).trim();
      if (text === "") run(["update-index", "--force-remove", path], index);
      else run(["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], index);
      const tree = run(["write-tree"], index).trim();
      const who = ["-c", "user.name=ci", "-c", "user.email=ci@localhost"];
      const parents = parent ? ["-p", parent] : [];
      const commit = run([...who, "commit-tree", tree, ...parents, "-m", path]).trim();
      run(["push", "-q", "origin", `${commit}:refs/heads/lvs-ci`]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  const plain = (/** @type {string} */ name) => name.replaceAll(/[^\w.-]+/g, "-");
  return {
    comment: async (body) => write(`comments/${plain(env.LVS_PULL_REQUEST ?? "plan")}.md`, body),
    issue: async (title, body) => write(`issues/${plain(title)}.md`, body),
    store: async (name, file) => write(`plans/${plain(name)}.json`, readFileSync(file, "utf8")),
    async load(name, file) {
      const from = fetched();
      if (!from) throw new Error("origin has no branch lvs-ci, so there is no plan");
      writeFileSync(file, run(["show", `${from}:plans/${plain(name)}.json`]));
    },
  };
}

/**
 * Runs a command of the head of this file.
 *
 * @param {string[]} argv
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<unknown>}
 */
export async function runCommand([command = "", ...args], env) {
  const service = env.GITHUB_ACTIONS ? github(env) : env.GITLAB_CI ? gitlab(env) : git(env);
  if (command === "comment") return service.comment(`${mark}\n${headOf(env)}${textOf(args)}`);
  if (command === "issue") return service.issue(args[0], cut(readFileSync(args[1], "utf8").trim(), longest));
  if (!["store", "load", "run"].includes(command) || !(command in service))
    throw new Error(`${command || "nothing"} is not a command here; see the head of the script`);
  return service[command](...args);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  await runCommand(process.argv.slice(2), process.env).then(
    (text) => typeof text === "string" && console.log(text),
    (error) => {
      console.error(`service.mjs: ${error.message}`);
      process.exitCode = 1;
    },
  );
