import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { afterAll, expect, test } from "vitest";
import { checkDefaults } from "../../src/values/health-check.js";
import { awks, titled } from "../support/fake/shells.js";
import { findProgram } from "../support/fake/tree.js";
import { HostileServers, page, says } from "./harness/hostile-replies.js";
import { soon, Watched } from "./harness/watched.js";

// What one curl for many servers finds says nothing where it is not whole, or late.

const open = new HostileServers();
afterAll(() => open.close());

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const checks = "run/pulumi-lvs/checks";
const results = (host: Watched) => host.checks().map((line) => line.split("\t")[1]);

function pair(): Watched {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 2 });
  host.watch({ fall: 1 });
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}

/** Waits for so many rounds more. */
async function rounds(host: Watched, count: number): Promise<void> {
  const before = host.read(`requests.${a}`).length;
  await soon(() => expect(host.read(`requests.${a}`).length).toBeGreaterThan(before + count));
}

/** Text of a shell that prints the pages of a file for curl. */
const pagesOf = (file: string) => `sed -n 's/^output = "\\(.*\\)"$/\\1/p' ${file}`;

/** A real curl. A shell runs texts before it and before its lines arrive: of many servers, and k is its file. */
function realCurl(host: Watched, before: string, after = ":"): void {
  const real = findProgram("curl");
  host.tool(
    "curl",
    `case $* in *' -K '*) ;; *) exec '${real}' "$@" ;; esac
k=\${*##* -K }
${before}
lines=$('${real}' "$@" 2>&1)
${after}
printf '%s\\n' "$lines" >&2
`,
  );
}

test.each([
  ["cannot be stored", `ln -sf /nowhere/page "$page"`, ":", "the page cannot be stored"],
  ["is lost before it is read", ":", `rm -f "$page"`, "the page is lost"],
])("a page that %s says nothing on its server, and tells no secret", async (_, before, after, why) => {
  const host = new Watched();
  const chunked = says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n");
  const servers = [await open.serve(page("OK")), await open.serve(chunked)];
  const each = (text: string) => `for page in $(${pagesOf(`"$k"`)}); do ${text}; done`;
  realCurl(host, each(before), each(after));
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  host.watch({ fall: 1, lastServer: "remove" });
  expect(await host.run("once")).toBe(0);
  expect(host.printed.split("\n").sort()).toEqual(
    ["", ...servers.map((server) => `${server} cannot be checked: ${why}`)].sort(),
  );
  expect(host.table()).toHaveLength(2);
});

test("what arrived of a page that breaks off is removed at once", async () => {
  const host = new Watched(undefined, 600);
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n";
  const server = await open.serve(says(head, "x".repeat(5000)));
  host.realTool("curl");
  host.declare({ [server]: 1 });
  host.watch({ fall: 1 });
  host.start();
  await soon(() => expect(results(host)).toEqual(["down"]));
  const pages = host.files(checks).filter((name) => name.endsWith(".page"));
  expect(pages.map((name) => host.read(`${checks}/${name}`))).toEqual([""]);
});

test("a page without a text does not pass by the text of the page before", async () => {
  const host = new Watched();
  let text = "OK";
  const server = await open.serve((socket) =>
    says(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`, text)(socket),
  );
  host.realTool("curl");
  host.declare({ [server]: 1 });
  host.watch({ rise: 1, fall: 1 });
  host.start();
  await soon(() => expect(results(host)).toEqual(["up"]));
  text = "";
  await soon(() => expect(results(host)).toEqual(["down"]));
  expect(host.checks()[0]).toContain("\tthe page does not contain the text of check.body\t");
});

test.each(titled(awks))("a path of quotes and backslashes arrives as it is declared: %s", async (_, awk) => {
  const host = new Watched();
  const path = '/a\\nb"c\\"';
  const paths: (string | undefined)[] = [];
  const server = await open.listen(
    createServer((request, response) => {
      paths.push(request.url);
      response.end("OK");
    }),
  );
  const [program = "", ...words] = awk;
  host.tool("awk", `exec '${findProgram(program)}' ${words.join(" ")} "$@"\n`);
  host.realTool("curl");
  host.declare({ [server]: 1 });
  host.watch({ check: { ...checkDefaults(), path } });
  expect(await host.run("once")).toBe(0);
  expect(paths).toEqual([path]);
  expect(results(host)).toEqual(["up"]);
});

test("a file for curl that is cut off leads to no other page", async () => {
  const host = new Watched();
  const answers = () =>
    createServer((request, response) => {
      response.statusCode = request.url === "/.health.html" ? 200 : 404;
      response.end("OK");
    });
  const servers = [await open.listen(answers()), await open.listen(answers())];
  realCurl(host, `text=$(cat "$k"); printf '%s' "\${text%health.html*}" >"$k"`);
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  host.watch({ fall: 1 });
  expect(await host.run("once")).toBe(0);
  expect(results(host)).toEqual(["up", "up"]);
});

test.each([
  ["one curl for many", () => undefined],
  ["a curl for each", (host: Watched) => host.oldCurl()],
])("a result that another process wrote late does not stay: %s", async (_, prepare) => {
  const host = pair();
  prepare(host);
  host.start();
  await soon(() => expect(results(host)).toEqual(["up", "up"]));
  await rounds(host, 3);
  const file = `${checks}/1`;
  host.write(file, host.read(file).replace("\tup\t", "\tdown\tlate"));
  await soon(() => expect(results(host)).toEqual(["up", "up"]));
});

test("a curl whose checks have changed writes no result", async () => {
  const host = pair();
  // the first curl ends when others have found that all are up, and says that all are down
  host.beforeCurl(`case $* in *' -K '*-1-1.batch)
  pages=$(${pagesOf(`"\${*##* -K }"`)})
  : >"$LVS_FAKE_ROOT/reads"
  until [ -e "$LVS_FAKE_ROOT/late" ]; do sleep 0.05; done
  for page in $pages; do printf '%s28 0000\\n 0.000000 Late .\\n' "$page" >&2; done
  exit ;;
esac`);
  const { pid } = host.start();
  await soon(() => expect(host.exists("reads")).toBe(true));
  const c = "192.168.10.13:80";
  host.page(c, "OK");
  host.declare({ [a]: 1, [b]: 2, [c]: 3 });
  await soon(() => expect(results(host)).toEqual(["up", "up", "up"]));
  await rounds(host, 3);
  host.write("late", "");
  const batches = () => host.children(pid as number).filter(({ command }) => command.includes("/monitor"));
  await soon(() => expect(batches()).toHaveLength(1));
  await rounds(host, 3);
  expect(results(host)).toEqual(["up", "up", "up"]);
  expect(host.read("monitor.log")).not.toContain("gone");
});

test("files of agents that have ended go, and those of others stay", async () => {
  const host = pair();
  const name = (pid: number) => `${checks}/${pid}-1-1.batch`;
  const ended = spawnSync("true").pid;
  for (const pid of [ended, process.pid]) host.write(name(pid), "\n");
  host.start();
  await soon(() => expect(host.exists(name(ended))).toBe(false));
  await soon(() => expect(results(host)).toEqual(["up", "up"]));
  expect(host.exists(name(process.pid))).toBe(true);
});
