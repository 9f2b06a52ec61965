import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Check } from "../../src/values/health-check.js";
import { shells } from "../support/fake/fake-host.js";
import { findProgram } from "../support/fake/tree.js";
import { service, soon, Watched } from "./harness/watched.js";

// Checks that the director itself cannot do, as when a local user has taken all ports: they say nothing on the servers.

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";
const sorry = "192.168.0.5:80";
const sorryServer = { address: "192.168.0.5", port: 80, forwarding: "gatewaying", weight: 1 } as const;
const kinds: Record<string, Check> = {
  http: { type: "http", path: "/" },
  https: { type: "https", path: "/" },
  tcp: { type: "tcp" },
  dns: { type: "dns", query: "a.example" },
};

/** State and reason of each server, as the status has them. */
const states = (host: Watched) =>
  host.lines("run/pulumi-lvs/health").map((line) => {
    const [, server, state, , why] = line.split("\t");
    return `${server} ${state} ${why}`;
  });

const version = `case " $* " in *' -V '*) echo 'Protocols: http https telnet'; exit;; esac
case $* in *starttransfer*) words='0.000000 000';; *) words=0.000000;; esac
`;
/** A curl that connects to nothing, and says why as it does. */
const unconnected = (how: string) => `${version}case $* in *' -v '*) printf '%s\\n' '${how}' >&2;; esac
echo 'curl: (7) Failed to connect to port 80 after 3 ms: Could not connect to server' >&2
printf '\\n%s\\n' "$words"; exit 7
`;
const immediately = (text: string) =>
  unconnected(`*   Trying 1.2.3.4:80...\n* Immediate connect fail for 1.2.3.4: ${text}`);
const ends = (code: number, text: string, before = "0.000000 000") =>
  `${version}echo 'curl: (${code}) ${text}' >&2; printf '\\n${before}\\n'; exit ${code}\n`;

/** Has the host check a server of each kind. */
function watchEachKind(host: Watched, addressOf: (i: number) => string): void {
  const servers = Object.values(kinds).map((check, i) => [addressOf(i), check] as const);
  host.declare(Object.fromEntries(servers.map(([server]) => [server, 1])));
  host.watch({ fall: 1, timeout: 1, lastServer: "remove", servers: Object.fromEntries(servers) });
}

/** Checks the four kinds of server once with that curl. */
async function checked(curl: string): Promise<Watched> {
  const host = new Watched();
  watchEachKind(host, (i) => `192.168.10.${20 + i}:80`);
  host.tool("curl", curl);
  expect(await host.run("once")).toBe(0);
  return host;
}

test.each([
  ["no local port", immediately("Cannot assign requested address"), "the director cannot connect: Cannot"],
  ["no local port, by musl", immediately("Address not available"), "the director cannot connect: Address"],
  ["no memory for a socket", immediately("No buffer space available"), "the director cannot connect: No "],
  ["no socket", unconnected("* failed to open socket: Too many open files"), "the director cannot connect: "],
  [
    "a way again, once a second request shows why it had none",
    unconnected("* Connected to 1.2.3.4").replace(
      "words=0.000000",
      "case $* in *' -v '*) words=0.010000;; *) words=0.000000;; esac",
    ),
    "a connection failed, and the next one did not",
  ],
  ["no port of those for the VIP", ends(45, "bind failed with errno 98"), "bind failed with errno 98"],
  ["no memory", ends(27, "Out of memory"), "Out of memory"],
  ["no certificates", ends(77, "error setting certificate verify locations"), "error setting certificate"],
  ["no start", `${version}echo 'curl: (2) no init' >&2; exit 2\n`, "no init"],
  ["no library", `${version}echo 'libcurl.so.4: Error 24' >&2; exit 127\n`, "curl ended with 127"],
])("a server stays as it is where curl has %s", async (_, curl, why) => {
  const host = await checked(curl);
  expect(host.table()).toHaveLength(4);
  for (const state of states(host)) expect(state).toContain(` up cannot be checked: ${why}`);
  expect(host.printed.match(/^192\.168\.10\.2\d:80 cannot be checked: .*$/gm)).toHaveLength(4);
});

test.each([
  ["refuses", unconnected("* connect to 1.2.3.4 port 80 failed: Connection refused")],
  ["refuses at once", immediately("Connection refused")],
  ["is not there", unconnected("* connect to 1.2.3.4 port 80 failed: No route to host")],
  ["sends headers that are too long", ends(27, "Out of memory", "0.010000 000")],
  ["speaks no TLS", ends(35, "Cannot assign requested address")],
  ["does not answer", ends(28, "Immediate connect fail: Cannot assign requested address")],
])("a server is down that %s", async (_, curl) => {
  expect((await checked(curl)).table()).toEqual([]);
});

test("a server that is down gets no second connection for the cause of a refused one", async () => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch({ fall: 2, lastServer: "remove", check: { type: "tcp" } });
  host.tool(
    "curl",
    `printf '%s\\n' "$*" >>"$LVS_FAKE_ROOT/curls"
${unconnected("* connect to 1.2.3.4 port 80 failed: Connection refused")}`,
  );
  const curls = () => host.lines("curls");
  const causes = () => curls().filter((line) => line.includes(" -v "));
  host.start();
  await soon(() => expect(states(host)).toEqual([expect.stringContaining(`${a} down `)]));
  const before = [curls().length, causes().length] as const;
  await soon(() => expect(curls().length).toBeGreaterThan(before[0] + 3));
  expect(before[1]).toBe(2);
  expect(causes()).toHaveLength(2);
});

test("a server is up that a curl without telnet connects to", async () => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch({ fall: 1, lastServer: "remove", check: { type: "tcp" } });
  host.tool(
    "curl",
    `case $* in *' telnet://'*) echo 'curl: (1) Protocol "telnet" not supported' >&2; printf '\\n0.000000\\n'; exit 1;; esac
printf '\\n0.010000\\n'; exit 52
`,
  );
  expect(await host.run("once")).toBe(0);
  expect(states(host)).toEqual([`${a} up `]);
});

test.each([
  ["timeout fails", "exit 125"],
  ["it cannot be run", "exec /dev/null"],
  ["it is not there", "no-such-command"],
])("a command check says nothing where %s", async (_, command) => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch({ fall: 1, lastServer: "remove", check: { type: "command", command } });
  expect(await host.run("once")).toBe(0);
  expect(states(host)).toEqual([
    expect.stringMatching(`^${a} up cannot be checked: the command ended with 12\\d`),
  ]);
  expect(host.table()).toEqual([`${a} 1`]);
});

test.each(["head", "tr", "od", "sed", "timeout"])("a server stays as it is where %s fails", async (tool) => {
  const host = new Watched();
  const check: Check =
    tool === "od"
      ? { type: "dns", query: "a.example" }
      : tool === "timeout"
        ? { type: "command", command: "false" }
        : { type: "http", path: "/", body: "OK", status: [200] };
  host.declare({ [a]: 1 });
  host.watch({ fall: 1, timeout: 1, lastServer: "remove", check });
  host.page(a, "OK");
  // the agent's own use of it does not matter here
  const own = tool === "tr" ? "case $* in *'\\000'*) exit 126;; esac" : "exit 126";
  if (tool !== "sed") host.tool(tool, `${own}\nexec '${findProgram(tool)}' "$@"\n`);
  else host.remove("tools/sed");
  await host.run("once");
  expect(host.table()).toEqual([`${a} 1`]);
});

describe.each(shells.map((shell) => [shell.join(" "), shell] as const))("in %s", (_, shell) => {
  test("what was found last holds on, for the sorry server too, and is checked again afterwards", async () => {
    const host = new Watched(shell);
    host.declare({ [a]: 1, [b]: 2 });
    host.watch({ sorryServer, quorum: { weight: 1, hysteresis: 0 } });
    for (const server of [a, b]) host.page(server, "OK");
    host.start();
    const results = () =>
      host
        .checks()
        .map((line) => line.split("\t")[1])
        .sort();
    await soon(() => expect(results()).toEqual(["up", "up"]));
    host.page(b, undefined);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    const curl = host.read("tools/curl").replace("#!/bin/sh\n", "");
    host.tool("curl", ends(45, "bind failed with errno 98: Address already in use"));
    const cannot = "cannot be checked: bind failed with errno 98: Address already in use";
    await soon(() => expect(states(host)).toEqual([`${a} up ${cannot}`, `${b} down ${cannot}`]));
    // the table says neither that one is up nor that it is down
    host.write(`etc/pulumi-lvs/maintenance/${a}`, "");
    await soon(() => expect(host.table()).toContain(`${sorry} 1`));
    host.remove(`etc/pulumi-lvs/maintenance/${a}`);
    await soon(() => expect(host.table()).toEqual([`${a} 1`]));
    // nor does an agent that is new
    host.start();
    const looked = host.lines("log").length;
    await soon(() => expect(host.lines("log").length).toBeGreaterThan(looked + 10));
    expect(host.table()).toEqual([`${a} 1`]);
    expect(results()).toEqual(["blind-down", "blind-up"]);
    host.tool("curl", curl);
    await soon(() => expect(states(host)[0]).toBe(`${a} up `));
    host.page(b, "OK");
    await soon(() => expect(host.table()).toEqual([`${a} 1`, `${b} 2`]));
    expect(host.printed).toContain(`${a} ${cannot}\n`);
    expect(host.printed).toContain(`${a} is checked again\n`);
  });
});

test("the last server that stays though it is down does not become well", async () => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch({ fall: 1, rise: 1 });
  expect(await host.run("once")).toBe(0);
  expect(states(host)[0]).toMatch(/down .*stays, because it is the last$/);
  host.tool("curl", ends(45, "no port"));
  const { pid } = host.start();
  await soon(() =>
    expect(states(host)).toEqual([`${a} down cannot be checked: no port; stays, because it is the last`]),
  );
  process.kill(pid as number);
});

test("a count of failures goes on where a check in between cannot be done", async () => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch({ fall: 3, lastServer: "remove" });
  // as a user would do it who wants to keep a dead server in
  host.tool(
    "curl",
    `${version}printf x >>"$LVS_FAKE_ROOT/turns"; turns=$(wc -c <"$LVS_FAKE_ROOT/turns")
[ $((turns % 2)) = 0 ] || { printf '\\n0.000000 000\\n'; exit 45; }
printf '\\n0.000000 000\\n'; exit 28
`,
  );
  host.start();
  await soon(() => expect(host.table()).toEqual([]));
});

test("nothing is changed by an agent that cannot know all, and it says so once", async () => {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 1 });
  host.watch({ fall: 1 });
  host.page(a, "OK");
  host.page(b, "OK");
  host.start();
  await soon(() => expect(host.checks().filter((line) => line.startsWith("result\tup\t"))).toHaveLength(2));
  host.tool("date", "exit 1\n");
  await soon(() => expect(host.printed).toMatch(/^nothing is changed now: /m));
  host.page(b, undefined);
  await soon(() => expect(host.checks().filter((line) => line.startsWith("result\tdown\t"))).toHaveLength(1));
  const looked = host.lines("log").length;
  await soon(() => expect(host.lines("log").length).toBeGreaterThan(looked + 5));
  expect(host.table()).toEqual([`${a} 1`, `${b} 1`]);
  host.realTool("date");
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(host.printed.match(/nothing is changed now/g)).toHaveLength(1);
});

test("a monitor's file stays where grep cannot tell whether it has a record", async () => {
  const host = new Watched();
  host.declare({ [a]: 1 });
  host.watch();
  host.page(a, "OK");
  host.tool("grep", "exit 2\n");
  await host.run("once");
  expect(host.read(`etc/pulumi-lvs/monitor.d/${service.replace("://", "-")}`)).toContain(service);
});

// a network of its own, whose local ports are all taken, or none of them
const inNamespace = (setup: string, shell: readonly string[]) =>
  [
    "unshare",
    "-rn",
    "sh",
    "-c",
    `'${findProgram("ip")}' link set lo up; ${setup}; exec "$@"`,
    "-",
    findProgram(shell[0] as string),
    ...shell.slice(1),
  ] as readonly string[];
const taken =
  "cd /proc/sys/net/ipv4; echo 40000 40001 >ip_local_port_range; echo 40000-40001 >ip_local_reserved_ports";

describe.skipIf(spawnSync("unshare", ["-rn", "true"]).status !== 0 || !findProgram("ip"))("with curl", () => {
  test.each([
    [
      "are up where no local port is free",
      taken,
      "up cannot be checked: the director cannot connect: Cannot",
    ],
    ["are down where there are ports", ":", "down no "],
  ])("servers %s", async (_, setup, state) => {
    const host = new Watched(inNamespace(setup, ["sh"]) as never);
    host.realTool("curl");
    watchEachKind(host, (i) => `127.0.1.${i + 1}:80`);
    await host.run("once");
    expect(states(host)).toHaveLength(4);
    for (const line of states(host)) expect(line).toContain(` ${state}`);
    expect(host.table()).toHaveLength(state.startsWith("up") ? 4 : 0);
  });
});
