import { afterAll, describe, expect, test } from "vitest";
import { checkDefaults } from "../../src/values/health-check.js";
import { type ShellProgram, shells } from "../support/fake/fake-host.js";
import { awks, titled } from "../support/fake/shells.js";
import { findProgram } from "../support/fake/tree.js";
import { sendSignal } from "../support/send-signal.mts";
import { HostileServers, page } from "./harness/hostile-replies.js";
import { soon, Watched } from "./harness/watched.js";

// One curl checks the pages of many servers.

const open = new HostileServers();
afterAll(() => open.close());

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";

function pair(shell?: ShellProgram, seconds?: number): Watched {
  const host = new Watched(shell, seconds);
  host.declare({ [a]: 1, [b]: 2 });
  host.watch();
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}
const results = (host: Watched) => host.checks().map((line) => line.split("\t")[1]);

test("a round of many servers starts one curl", async () => {
  const host = new Watched();
  const servers = Array.from({ length: 40 }, (_, i) => `192.168.10.${i + 1}:80`);
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  host.watch();
  for (const server of servers) host.page(server, "OK");
  host.beforeCurl(`printf 'x\\n' >>"$LVS_FAKE_ROOT/curls"`);
  host.start();
  await soon(() => expect(host.read(`requests.${servers[39]}`).length).toBeGreaterThan(4));
  expect(results(host).filter((result) => result === "up")).toHaveLength(40);
  const rounds = host.read(`requests.${servers[0]}`).length;
  // one more asks for the version, and one may have just begun
  expect(host.lines("curls").length).toBeLessThanOrEqual(rounds + 3);
});

test("a certificate that is verified takes time, so its check has a curl of its own", async () => {
  const host = pair();
  const https = { ...checkDefaults(), type: "https" } as const;
  host.watch({ servers: { [a]: { ...https, verify: true }, [b]: { ...https, verify: false } } });
  host.beforeCurl(`case $* in *' -K '*) cat "\${*##* -K }" >>"$LVS_FAKE_ROOT/many";; esac`);
  expect(await host.run("once")).toBe(0);
  expect(host.read("many")).toContain(`url = "https://${b}/`);
  expect(host.read("many")).not.toContain(`url = "https://${a}/`);
  expect(results(host)).toEqual(["up", "up"]);
});

test("with an old curl each server has processes of its own, which the journal says once", async () => {
  const host = new Watched();
  const servers = Array.from({ length: 30 }, (_, i) => `192.168.10.${i + 1}:80`);
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  // this tree has no route for it, and its way is looked for before that is said
  host.withWays();
  host.watch({ servers: { [servers[0] as string]: { ...checkDefaults(), through: "vip" } } });
  for (const server of servers) host.page(server, "OK");
  host.oldCurl();
  expect(await host.run("once")).toBe(0);
  expect(results(host).filter((result) => result === "up")).toHaveLength(29);
  const old = "curl 7.74.0 is older than 7.75: each of 30 checks needs processes of its own";
  expect(host.printed.split("\n").filter((line) => line === old)).toHaveLength(1);
});

/** A critical error at this server ends curl. */
const hostile = "192.168.10.13:80";
const ended = (server: string) =>
  `${server} ended the curl of many servers: its check has a process of its own`;

describe.each(shells.slice(1).map((shell) => [shell.join(" "), shell] as const))(
  "the agent in %s",
  (_, shell) => {
    test("a server that does not answer delays no other of the same curl, and the end of its page is the end", async () => {
      const host = new Watched(shell);
      host.realTool("curl");
      const silent = await open.serve(() => undefined);
      const longer = await open.serve(page("a long page, which says OK"));
      const shorter = await open.serve(page("KO"));
      const refusing = "127.0.0.1:1";
      host.declare({ [silent]: 1, [longer]: 1, [shorter]: 1, [refusing]: 1 });
      host.watch({ interval: 600, timeout: 600, rise: 1, fall: 1 });
      host.start();
      await soon(() => expect(host.table().sort()).toEqual([`${silent} 1`, `${longer} 1`].sort()));
      expect(results(host).sort()).toEqual(["", "down", "down", "up"]);
      expect(host.printed).toBe("");
    });

    test("a critical error of one ends curl: the others are checked again at once, not after the interval", async () => {
      const host = pair(shell, 600);
      host.declare({ [a]: 1, [b]: 2, [hostile]: 3 });
      host.watch({ rise: 1, fall: 1 });
      host.page(b, undefined);
      host.answer(hostile, "critical\n");
      host.start();
      await soon(() => expect(host.table()).toEqual([`${a} 1`]));
      expect(results(host).sort()).toEqual(["down", "down", "up"]);
      // The agent writes it after the table.
      const hostileDown = /10\.13:80\tdown\t.*\tno answer: Out of memory$/m;
      await soon(() => expect(host.read("run/pulumi-lvs/health")).toMatch(hostileDown));
      await soon(() => expect(host.printed).toBe(`${ended(hostile)}\n`));
    });

    test("it changes neither results nor counts of the others, which keep their curl", async () => {
      const host = pair(shell);
      host.declare({ [a]: 1, [b]: 2, [hostile]: 3 });
      // b fails 25 times and then is well: a count that began again after the tenth would not reach its limit
      host.watch({ rise: 1000, fall: 20 });
      host.page(hostile, "OK");
      host.page(b, undefined);
      host.beforeCurl(`n=0; [ ! -e "$LVS_FAKE_ROOT/requests.${b}" ] || n=$(wc -c <"$LVS_FAKE_ROOT/requests.${b}")
[ "$n" != 10 ] || printf 'critical\\n' >"$LVS_FAKE_ROOT/web/${hostile}"
[ "$n" != 25 ] || printf '200\\nOK\\n' >"$LVS_FAKE_ROOT/web/${b}"`);
      host.start();
      await soon(() => expect(host.read("run/pulumi-lvs/health")).toMatch(/10\.12:80\tdown\t/));
      expect(host.table()).toContain(`${a} 1`);
      await soon(() => expect(host.printed).toBe(`${ended(hostile)}\n`));
    });

    test("before a boot lets clients in, each has its result, also with four such servers", async () => {
      const host = pair(shell);
      const four = [13, 14, 15, 16].map((last) => `192.168.10.${last}:80`);
      host.declare(Object.fromEntries([a, b, ...four].map((server) => [server, 1])));
      host.watch();
      for (const server of four) host.answer(server, "critical\n");
      expect(await host.run("once")).toBe(0);
      expect(results(host).sort()).toEqual(["down", "down", "down", "down", "up", "up"]);
      expect(host.printed).toBe("");
    });
  },
);

test("before a boot lets clients in, it is known why a connection failed, also if that takes time", async () => {
  const host = pair();
  host.watch({ fall: 1 });
  host.page(b, undefined);
  host.beforeCurl(`case $* in *' -v '*) '${findProgram("sleep")}' 1;; esac`);
  expect(await host.run("once")).toBe(0);
  expect(host.table()).toEqual([`${a} 1`]);
});

const unpiped = ["-c", `trap '' PIPE; exec "$@"`, "-"];
test.each([
  ["", ["sh"]],
  // as systemd starts it by default
  [", where writing to it gives an error instead of a signal", ["sh", ...unpiped, findProgram("sh")]],
])("each process of the round may be killed%s", async (_, shell) => {
  const host = pair(shell as never);
  const { pid } = host.start();
  const copies = (of: number) =>
    host.children(of).filter(({ command }) => /pulumi-lvs.monitor|FORM=|from=lines/.test(command));
  for (let i = 0; i < 4; i++) {
    await soon(() => expect(host.health()).toEqual([`${a} up`, `${b} up`]));
    await soon(() => {
      const [batch] = copies(pid as number);
      const parts = batch ? copies(batch.pid) : [];
      expect(parts).toHaveLength(4);
      sendSignal(parts[i]?.pid as number, "SIGKILL");
    });
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    host.page(b, "OK");
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
  }
});

const noTime = "curl ended before its checks did: for a while each check has a process of its own\n";
/** Text of a shell that runs where the first curls of many begin. */
const firstCurls = (text: string) => `case $* in *' -K '*-1-?.batch) ${text};; esac`;

/** Prints the first words of what curl says of the first page. */
const partOfLine = `to=$(sed -n '/^output/{s/.*= "//;s/"//p;q;}' "\${*##* -K }"); printf '%s0 200' "$to" >&2`;

test.each([
  ["by one server says nothing on the others", "kill -9 $$"],
  // dash says nothing on this signal, which would end the line
  [
    "in the middle of a line says nothing on that server, and the checks go on",
    `${partOfLine}; kill -PIPE $$`,
  ],
])("a curl that is killed %s", async (_, text) => {
  const host = pair();
  host.watch({ rise: 1, fall: 1 });
  host.beforeCurl(firstCurls(text));
  host.start();
  await soon(() => expect(results(host)).toEqual(["up", "up"]));
  expect(host.printed).toBe(noTime);
  expect(host.read("monitor.log")).toBe("");
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
});

test("the cause of a failed connection may arrive in the middle of a line of curl", async () => {
  const host = pair();
  host.watch({ rise: 1, fall: 1 });
  host.page(b, undefined);
  host.beforeCurl(
    firstCurls(`set -- $(sed -n 's/^output = "\\(.*\\)"$/\\1/p' "\${*##* -K }")
printf OK >"$1"
printf '%s7 0000\\n 0.000000 refused .\\n%s0 20' "$2" "$1" >&2
until grep -q down "$LVS_FAKE_ROOT"/run/pulumi-lvs/checks/[0-9]; do sleep 0.01; done
printf '02\\n' >&2
exit`),
  );
  host.start();
  await soon(() => expect(results(host)).toEqual(["up", "down"]));
  expect(host.printed).toBe("");
});

test("curls that are killed together are one event", async () => {
  const host = new Watched();
  const services = [1, 2, 3, 4, 5].map((port) => `tcp://192.168.0.219:${port}`);
  host.page(a, "OK");
  // An interval each, so that each has a curl of its own.
  services.forEach((of, i) => {
    host.declare({ [a]: 1 }, of);
    host.watch({ interval: 10 + i, timeout: 3, rise: 1 }, of);
  });
  host.beforeCurl(
    firstCurls(
      `: >"$LVS_FAKE_ROOT/in.$$"; until set -- "$LVS_FAKE_ROOT"/in.* && [ $# = 5 ]; do sleep 0.01; done; kill -9 $$`,
    ),
  );
  host.start();
  await soon(() => expect(results(host)).toEqual(["up", "up", "up", "up", "up"]));
  expect(host.printed).toBe(noTime);
});

test.each([
  ["cannot be started", "case $* in *' -K '*) exit 127;; esac", "curl ended with 127"],
  ["has gone", `rm "$LVS_FAKE_ROOT/tools/curl"`, "curl: not found"],
])("a curl that %s says nothing on the servers", async (_, text, why) => {
  const host = pair();
  host.watch({ fall: 1 });
  host.beforeCurl(text);
  expect(await host.run("once")).toBe(0);
  expect(host.printed.split("\n").sort()).toEqual([
    "",
    `${a} cannot be checked: ${why}`,
    `${b} cannot be checked: ${why}`,
  ]);
  expect(host.table()).toEqual([`${a} 1`, `${b} 2`]);
});

test.each(titled(awks))("the awk of a round is %s", async (_, [program = "", ...words]) => {
  const host = pair();
  host.watch({ rise: 1, fall: 1, check: { ...checkDefaults(), body: "OK" } });
  host.tool("awk", `exec '${findProgram(program)}' ${words.join(" ")} "$@"\n`);
  host.start();
  await soon(() => expect(results(host)).toEqual(["up", "up"]));
  host.page(a, "KO");
  host.page(b, undefined);
  await soon(() => expect(results(host)).toEqual(["down", "down"]));
  expect(host.printed).toBe("");
});

test("a change of the checks ends the curl of before, which says nothing on the others", async () => {
  const host = pair();
  // the first curl begins to read when its file has gone
  host.beforeCurl(`case $* in *' -K '*-1-1.batch)
  : >"$LVS_FAKE_ROOT/reads"; while [ -e "\${*##* -K }" ]; do sleep 0.05; done
esac`);
  host.start();
  await soon(() => expect(host.exists("reads")).toBe(true));
  host.watch({ fall: 1 });
  await soon(() => expect(host.files("run/pulumi-lvs/checks").join(" ")).toContain("-1-1.batch.apart"));
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(host.printed).toBe("");
});

/** Servers whose rounds have no end that could be written. */
function endless(seconds?: number): Watched {
  const host = pair(["sh"], seconds);
  host.tool("sleep", `[ "$1" = 0.1 ] || exec '${findProgram("sleep")}' "$@"`);
  host.beforeCurl(`case $* in *' -K '*) mkdir -p "\${*##* -K }.done";; esac`);
  return host;
}

test("a round whose end cannot be written ends, and the boot goes on", async () => {
  const host = endless();
  host.watch({ fall: 1 });
  host.page(b, undefined);
  expect(await host.run("once")).toBe(0);
  expect(host.table()).toEqual([`${a} 1`]);
});

test("after such a round that one server has ended, another one begins at once, and not after the interval", async () => {
  const host = endless(600);
  host.answer(b, "critical\n");
  host.beforeCurl(`case $* in *' -K '*) echo x >>"$LVS_FAKE_ROOT/rounds";; esac`);
  host.start();
  await soon(() => expect(host.lines("rounds").length).toBeGreaterThan(1));
});
