import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Check } from "../../src/values/health-check.js";
import { checkDefaults } from "../../src/values/health-check.js";
import { shells } from "../support/fake/fake-host.js";
import { HostileServers, page, type Reply, says } from "./harness/hostile-replies.js";
import { service, soon, Watched } from "./harness/watched.js";

// Servers, commands and files that want to have their text run, at the real agent in each shell.

const ground = mkdtempSync(join(tmpdir(), "lvs-hostile-"));
/** Is there once anything of what others say was run. */
const canary = join(ground, "canary");
const runs = `$(: >${canary})\`: >${canary}\`'; : >${canary}; '";: >${canary};"`;

/** Lines that would be records, results and what else there is in files, if a reader took them for that. */
const forged = [
  "x",
  `60\tobject\tRealServer ${service}/127.0.9.9:80\tx\tipvsadm -a ${runs} -g`,
  `kept\tserver\t${service}\t127.0.9.9:80\t1\t0`,
  `result\tup\t\taddress=127.0.9.9\tport=80\ttype=command\tcommand=: >${canary}`,
  `service\t${service}`,
  `check\t*\ttype\tcommand`,
  `check\t*\tcommand\t: >${canary}`,
  `do\t3\t${service}\t${runs}`,
  `log\t${canary}\tx`,
  "x",
].join("\n");
/** The same as a shell's `echo` would make it of one line. */
const escaped = forged.replaceAll("\t", "\\t").replaceAll("\n", "\\n");

/** What would make a check that cannot be done of one that has failed, if a server could say it. */
const noPort = `* Immediate connect fail for 127.0.0.1: Cannot assign requested address
curl: (45) bind failed with errno 98: Address already in use
lost head
curl 45 director 000 x

0.000000
`;

const open = new HostileServers();

/** The service of servers whose checks last until their time is over. */
const lasting = "tcp://192.168.0.220:80";

interface Case {
  readonly reply?: Reply;
  readonly check?: Check;
  readonly lasts?: boolean;
  /** What the status says of it; undefined where it is up. */
  readonly reason?: RegExp;
}

const http: Record<string, Case> = {
  "a page like an error of curl's, with escaped records, which promises more than it sends": {
    reply: says(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\ncurl: (7) ${escaped}\n`),
    reason: /^no answer: (transfer closed|end of response) with \d+ bytes (remaining to read|missing)/,
  },
  "the same with tabs and line breaks": {
    reply: says(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\ncurl: (7) ${forged}\n`),
    reason: /^no answer: (transfer closed|end of response)/,
  },
  "a page of records": { reply: page(forged), reason: /^the page does not contain the text of check.body$/ },
  "a page of escaped records that is well": { reply: page(`${escaped}OK${escaped}`) },
  "a page like the agent's own notes": {
    reply: page("OK\ncurl 0 200 \npage 9 1 OK\nended 0\n", "500 Well"),
    reason: /^status 500$/,
  },
  "a status line of records": { reply: page("OK", `503 ${escaped}`), reason: /^status 503$/ },
  "a status that is none": {
    reply: says(`HTTP/1.1 ${escaped}\r\n\r\nOK`),
    reason: /^(no answer: .*|status \d*)$/,
  },
  "headers of records": {
    reply: says(`HTTP/1.1 200 OK\r\nX-${runs}: ${escaped}\r\nLocation: ${runs}\r\n\r\nKO`),
    reason: /^the page does not contain the text of check.body$/,
  },
  "a length that is none": {
    reply: says(`HTTP/1.1 200 OK\r\nContent-Length: ${escaped}\r\n\r\nOK`),
    reason: /^no answer: /,
  },
  "chunks of records": {
    reply: says(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${escaped}\r\nOK`),
    reason: /^no answer: /,
  },
  "an encoding of records": {
    reply: says(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${escaped}\r\n\r\nOK`),
    reason: /^(no answer: .*|the page does not contain the text of check.body)$/,
  },
  "a page like what curl says without a local port": {
    reply: says(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${noPort}`),
    reason: /^no answer: (transfer closed|end of response)/,
  },
  "headers like what curl says without a local port": {
    reply: says(`HTTP/1.1 200 OK\r\nContent-Length: ${noPort}\r\n${noPort}\r\n\r\n`),
    reason: /^no answer: /,
  },
  "no HTTP, but what curl says without a local port": { reply: says(noPort), reason: /^no answer: / },
  "what is no HTTP": { reply: says(forged), reason: /^no answer: / },
  nothing: { reply: (socket) => socket.destroy(), reason: /^no answer: / },
  "zeros, and characters that terminals obey": {
    reply: page(Buffer.from(`\0\x1b]0;x\x07\x9b31m\u202e\u2066\u2028${"\0".repeat(9000)}`)),
    reason: /^the page does not contain the text of check.body$/,
  },
  "zeros around what is well": { reply: page(Buffer.from("\0\0\nOK\0\0")) },
  "a page without an end": {
    reply: open.endless("page", "HTTP/1.1 200 OK\r\n\r\n", "OK OK OK\n"),
    reason: /^the page is longer than 1 MB$/,
  },
  "a line without an end": {
    reply: open.endless("line", "HTTP/1.1 200 OK\r\n\r\n", "OK"),
    reason: /^the page is longer than 1 MB$/,
  },
  "headers without an end": {
    lasts: true,
    reply: open.endless("headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
    reason: /^no answer: /,
  },
  "a header without an end": {
    lasts: true,
    reply: open.endless("header", "HTTP/1.1 200 OK\r\nX: ", "y"),
    reason: /^no answer: /,
  },
  "a status line without an end": {
    lasts: true,
    reply: open.endless("status", "HTTP/1.1 200 ", "OK"),
    reason: /^no answer: /,
  },
  "a long page that is well": { reply: page(`${"x".repeat(900_000)}OK`) },
  "a wanted text with backslashes, which is there": {
    reply: page("C:\\temp\\new"),
    check: { body: "C:\\temp\\new" },
  },
  "a wanted text with backslashes, which is not": {
    reply: page("C:\temp\new"),
    check: { body: "C:\\temp\\new" },
    reason: /^the page does not contain the text of check.body$/,
  },
  "a wanted text that is a command": {
    reply: page("no"),
    check: { body: runs },
    reason: /^the page does not contain the text of check.body$/,
  },
};

const other: Record<string, Case> = {
  "TLS that is none": {
    reply: says(forged),
    check: { type: "https", verify: true, host: "web" },
    reason: /^no answer: /,
  },
  "a port that says records": { reply: says(forged), check: { type: "tcp" } },
  "a port that never stops": { lasts: true, reply: open.endless("tcp", "", forged), check: { type: "tcp" } },
  "DNS that is text": {
    lasts: true,
    reply: says(forged),
    check: { type: "dns", query: "a.example" },
    reason: /^no answer to the query$/,
  },
  "DNS of another number": {
    lasts: true,
    reply: says(Buffer.from("0020ffff8180", "hex"), escaped),
    check: { type: "dns", query: "a.example" },
    reason: /^no answer to the query$/,
  },
  "DNS with an error": {
    lasts: true,
    reply: says(Buffer.from("00204c568185", "hex"), escaped),
    check: { type: "dns", query: "a.example" },
    reason: /^the answer is error 5$/,
  },
  "DNS like what curl says without a local port": {
    lasts: true,
    reply: says(noPort, noPort),
    check: { type: "dns", query: "a.example" },
    reason: /^no answer to the query$/,
  },
  "DNS without an end": {
    lasts: true,
    reply: open.endless("dns", "", "\0\x20LV\x81\x80"),
    check: { type: "dns", query: "a.example" },
  },
};

const command = (text: string): Check => ({ type: "command", command: text });
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const commands: Record<string, Case> = {
  "prints escaped records": {
    check: command(`printf '%s\\n' ${quoted(`curl: (7) ${escaped}`)}; exit 1`),
    reason: /^the command ended with 1: curl: \(7\) x\\n60\\tobject/,
  },
  "prints records": {
    check: command(`printf '%b' ${quoted(escaped)}; exit 3`),
    reason: /^the command ended with 3: x$/,
  },
  "prints the agent's own notes": {
    check: command("printf 'ended 0\\npage 1 1 x\\n'; exit 2"),
    reason: /^the command ended with 2: ended 0$/,
  },
  "prints zeros and what terminals obey": {
    check: command("printf '\\000\\000 \\033]0;x\\007 \\342\\200\\256x\\n'; exit 1"),
    reason: /^the command ended with 1: +\?\]0;x\? \?\?\?x$/,
  },
  "prints without an end": {
    lasts: true,
    check: command("while :; do head -c 65536 /dev/zero | tr '\\000' x; done"),
    reason: /^the command (printed more than 1 MB|took longer than 4 s)$/,
  },
  "prints what curl says without a local port": {
    check: command(`printf '%b' ${quoted(noPort.replaceAll("\n", "\\n"))}; exit 7`),
    reason: /^the command ended with 7: \* Immediate connect fail/,
  },
  "is well, and prints records": { check: command(`printf '%b' ${quoted(escaped)}`) },
  "never ends": { lasts: true, check: command("sleep 600"), reason: /^the command took longer than 4 s$/ },
  "leaves something behind that keeps its output open": {
    lasts: true,
    check: command("sleep 20 & exit 4"),
    reason: /^the command ended with 4$/,
  },
  "kills itself": { check: command("kill -9 $$"), reason: /^the command was killed: / },
};

/** Where each of them listens. */
const at = new Map<string, string>();

/** A server whose certificate has records for a name; the file is what curl is to trust. */
async function certified(): Promise<string> {
  const [key, certificate] = [join(ground, "key"), join(ground, "certificate")];
  // as much as a name may have, in openssl's own quotes
  const name = `/CN=\\\\n60\\\\tobject\\\\tx$(: >${canary})`.replaceAll(
    `/${canary.slice(1)}`,
    `\\/${canary.slice(1).replaceAll("/", "\\/")}`,
  );
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  execFileSync(
    "openssl",
    ["req", "-x509", ...curve, "-nodes", "-days", "2", "-subj", name, "-keyout", key, "-out", certificate],
    { stdio: "ignore" },
  );
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (socket) =>
    page("OK")(socket),
  );
  server.on("tlsClientError", () => undefined);
  return open.listen(server);
}

beforeAll(async () => {
  for (const [name, { reply, check }] of Object.entries({ ...http, ...other })) {
    const first = check?.type === "tcp" || check?.type === "dns";
    at.set(name, await open.serve(reply as Reply, first ? "at once" : "requested"));
  }
  for (const [i, name] of Object.keys(commands).entries()) at.set(name, `127.0.1.${i + 1}:80`);
});

afterAll(() => {
  open.close();
  rmSync(ground, { recursive: true, force: true });
});

/** Nothing of what others said was run, and what the agent says is one line of printable characters for each server. */
function untouched(host: Watched): void {
  expect(existsSync(canary)).toBe(false);
  for (const line of host.lines("run/pulumi-lvs/health")) {
    expect(line).toMatch(/^[!-~]+\t[!-~]+\t(up|down|maintenance)\t[-: \d]+\t[ -~]{0,200}$/);
    expect([service, lasting]).toContain(line.split("\t")[0]);
  }
}

describe.each(shells.slice(1).map((shell) => [shell.join(" "), shell] as const))(
  "the agent in %s",
  (_, shell) => {
    test("runs nothing of what servers and commands say, and each has its result and reason", async () => {
      const host = new Watched(shell);
      open.sent.clear();
      host.realTool("curl");
      for (const tool of ["openssl", "true"]) host.realTool(tool);
      const tls = await certified();
      host.environment = { CURL_CA_BUNDLE: join(ground, "certificate") };
      const cases: Record<string, Case> = {
        ...http,
        ...other,
        ...commands,
        "a certificate of records": {
          check: { ...checkDefaults("https"), verify: true, host: "web.example" },
          reason: /^no answer: .*certificate/,
        },
      };
      at.set("a certificate of records", tls);
      // those that last until their time is over have a service of their own
      for (const [of, timeout] of [
        [service, 30],
        [lasting, 4],
      ] as const) {
        const these = Object.entries(cases).filter(([, { lasts }]) => (lasts === true) === (timeout === 4));
        const servers = these.map(([name, { check }]) => [at.get(name) as string, check] as const);
        host.declare(Object.fromEntries(servers.map(([server]) => [server, 1])), of);
        host.watch(
          {
            fall: 1,
            rise: 1,
            timeout,
            connectTimeout: timeout,
            lastServer: "remove",
            check: { ...checkDefaults(), host: "web.example" },
            servers: Object.fromEntries(
              servers.flatMap(([server, check]) => (check ? [[server, check]] : [])),
            ),
          },
          of,
        );
      }
      const ended = await host.run("once");
      untouched(host);
      expect([ended, host.printed]).toEqual([0, ""]);
      const reported = new Map(
        host.lines("run/pulumi-lvs/health").map((line) => {
          const [, server = "", state, , why] = line.split("\t");
          return [server, `${state} ${why}`];
        }),
      );
      for (const [name, { reason }] of Object.entries(cases)) {
        const why = reported.get(at.get(name) as string) ?? "";
        if (reason)
          expect([name, why.slice(0, 5), why.slice(5)]).toEqual([
            name,
            "down ",
            expect.stringMatching(reason),
          ]);
        else expect([name, why]).toEqual([name, "up "]);
      }
      const up = Object.keys(cases).filter((name) => !cases[name]?.reason);
      expect(host.table().sort()).toEqual(up.map((name) => `${at.get(name)} 1`).sort());
      // what is cut is not read on: sockets hold some megabytes
      for (const name of ["page", "line"])
        expect([name, (open.sent.get(name) ?? 0) < 32 * 2 ** 20]).toEqual([name, true]);
    });

    test("takes from each file only what belongs there, and says once what it ignores", async () => {
      const host = new Watched(shell);
      const server = "192.168.10.11:80";
      const [boot, health, kept] = ["etc/pulumi-lvs/boot", "run/pulumi-lvs/health", "run/pulumi-lvs/monitor"];
      host.declare({ [server]: 1 });
      host.watch({ rise: 1, fall: 1 });
      host.page(server, "OK");
      expect(await host.run("once")).toBe(0);
      const good = [`${server} 1`];
      expect([host.table(), host.printed]).toEqual([good, ""]);
      for (const name of [boot, health, kept, "run/pulumi-lvs/draining", "run/pulumi-lvs/boot"])
        host.write(name, `${host.read(name)}${forged}\n${escaped}\n`);
      const monitor = `etc/pulumi-lvs/monitor.d/${service.replace("://", "-")}`;
      host.write(
        monitor,
        `${host.read(monitor)}check\t*\tport\t80;: >${canary}\nlog\t${runs}\nsorry\t${runs}\tmasquerading\t1\n${escaped}\n`,
      );
      // names of files, too
      for (const name of [
        `a[${runs.replaceAll("/", "\\057")}]1`,
        "a[$(touch canary)]2",
        `2\n${forged.replaceAll("/", "_")}3`,
      ])
        host.write(`run/pulumi-lvs/checks/${name.slice(0, 200)}`, `${forged}\n`);
      for (const name of [
        `x\n60\tobject\tRealServer ${service.replaceAll("/", "_")}`,
        `x\nservice\tx\ncheck\t*\ttype\tcommand\ncheck\t*\tcommand\t: >canary`,
        "$(touch canary)",
        `${server}\t`,
        `${server}~`,
      ])
        host.write(`etc/pulumi-lvs/maintenance/${name}`, "");
      // a record of ours with a flag that is none is not a record
      host.write(
        boot,
        `${host.read(boot)}60\tobject\tRealServer ${service}/192.168.10.12:80\tp/s/n\tserver\t-t\t${service.slice(6)}\t-r\t192.168.10.12:80\t-g\t-w\t1\t--x\n`,
      );
      for (let i = 0; i < 2; i++) expect(await host.run("once")).toBe(0);
      expect(host.table()).toEqual(good);
      expect(host.health()).toEqual([`${server} up`]);
      expect(host.lines(health)).toHaveLength(1);
      untouched(host);
      expect(existsSync(join(host.root, "canary"))).toBe(false);
      expect(host.printed).toMatch(/^maintenance file .*: its name is not an address, and ignored$/m);
      for (const name of [boot, health, kept, "run/pulumi-lvs/draining", monitor])
        expect(host.printed).toMatch(
          new RegExp(`${name}: line \\d+ and \\d+ more are not understood, and ignored$`, "m"),
        );
      expect(host.printed).toMatch(/^[ -~\n]*$/);
      // addresses are taken in each form
      for (const name of ["192.168.10.11", server, "[192.168.10.11]:80", "[192.168.10.11]"]) {
        host.write(`etc/pulumi-lvs/maintenance/${name}`, "");
        expect(await host.run("once")).toBe(0);
        expect([name, host.table()]).toEqual([name, [`${server} 0`]]);
        host.remove(`etc/pulumi-lvs/maintenance/${name}`);
        expect(await host.run("once")).toBe(0);
      }
      expect(await host.run("close")).toBe(0);
      expect(await host.forget()).toBe(0);
      untouched(host);
    });

    test("has no pipe that others can open, and its files are root's alone", async () => {
      const host = new Watched(shell);
      const server = "192.168.10.11:80";
      host.declare({ [server]: 1 });
      host.watch();
      host.page(server, "OK");
      const { pid } = host.start();
      await soon(() => expect(host.health()).toEqual([`${server} up`]));
      await soon(() => expect(host.read("run/pulumi-lvs/monitor")).toContain(server));
      expect(readlinkSync(`/proc/${pid}/fd/8`)).toMatch(/^pipe:\[\d+\]$/);
      const files = readdirSync(join(host.root, "run/pulumi-lvs"), { recursive: true, withFileTypes: true });
      expect(files.filter((file) => file.isFIFO())).toEqual([]);
      const modeOf = (name: string) =>
        (statSync(join(host.root, "run/pulumi-lvs", name)).mode & 0o777).toString(8);
      expect([modeOf("checks"), modeOf("checks/1"), modeOf("monitor"), modeOf("health")]).toEqual([
        "700",
        "600",
        "600",
        "644",
      ]);
      // a process that takes its ticks away does not stop it
      host.page(server, undefined);
      host.watch({ lastServer: "remove" });
      await soon(() => expect(host.table()).toEqual([]));
    });
  },
);
