import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandFailure, commandTimedOut } from "../../../src/errors.js";
import { type FactName, kinds, shownFact } from "../../../src/facts/facts.js";
import { shownCommand } from "../../../src/shell/shown-command.js";
import { definitions } from "../../support/fake/definitions.js";
import { change, goldenFiles, recorder } from "../../support/fake/golden.js";

const repository = join(__dirname, "../../..");
const read = (file: string) => readFileSync(join(repository, file), "utf8");

/** The names of all shell functions that run on hosts. */
const functions = globSync("src/shell/**/*.sh", { cwd: repository }).flatMap((file) =>
  [...read(file).matchAll(/^(\w+)\(\)/gm)].map(([, name = ""]) => name),
);
// A name without an underscore is also a word: it is a command only in quotes.
const named = new RegExp(
  functions.map((name) => (name.includes("_") ? `\\b${name}\\b` : `\`${name}\\b`)).join("|"),
);

test("the shell functions are found", () => {
  expect(functions.length).toBeGreaterThan(100);
  expect(functions).toEqual(
    expect.arrayContaining(["put_file", "record", "change_forwarding", "put_monitor"]),
  );
});

describe("an error of a step shows the host's command or file, not the name of a shell function", () => {
  for (const { kind, name, cases } of goldenFiles) {
    const changes = cases.filter(({ read, problems }) => read === undefined && !problems);
    if (changes.length === 0) continue;
    test.for(changes.map((given) => [given.title, given] as const))(
      `${kind}/${name}: %s`,
      async ([, given]) => {
        const { submit, steps } = recorder(given.host ?? {});
        await change(definitions.get(kind) as never, given, submit).catch(() => undefined);
        for (const argv of steps.flatMap(({ run, undo }) => (undo ? [run, undo] : [run]))) {
          expect(commandFailure("director1", argv, 4, "no").message).not.toMatch(named);
          expect(commandTimedOut("director1", argv, 120).message).not.toMatch(named);
        }
      },
    );
  }
});

test("each shell function that a program names as a command has words for people", () => {
  const programs = globSync("providers/**/*.ts", { cwd: repository }).map(read).join("\n");
  // Queries of a ServiceProbe change nothing, and their errors have words of their own.
  const queries = /^(request|probe|read)_/;
  const used = functions.filter(
    (name) => name.includes("_") && !queries.test(name) && programs.includes(`"${name}"`),
  );
  expect(used.length).toBeGreaterThan(15);
  expect(used.filter((name) => named.test(shownCommand([name, "a", "b", "c", "d", "e"])))).toEqual([]);
});

test.for([
  [["put_file", "/proc/sys/net/ipv4/ip_forward", "1"], "writing 1 to /proc/sys/net/ipv4/ip_forward"],
  [["record", "persistent", "a line"], "writing /etc/pulumi-lvs/boot"],
  [["erase", "untilReboot", "a line"], "removing lines from /run/pulumi-lvs/boot"],
  [["put_monitor", "web", "check\tcommand\tsecret"], "writing /etc/pulumi-lvs/monitor.d/web"],
  [["drop_address", "eth0", "192.168.0.219/32"], "`ip addr del 192.168.0.219/32 dev eth0`"],
  [
    ["change_forwarding", "-4", "192.168.10.1", "192.168.10.1:80", "C0A80A01 0050", "ipvsadm", "-e", "-g"],
    "`ipvsadm -e -g`",
  ],
  [["with_file", "/proc/sys/net/ipv4/icmp_ratelimit", "1", "2", "ipvsadm", "-E"], "`ipvsadm -E`"],
  [["ip", "route", "add", "default"], "`ip route add default`"],
  [["constructor"], "`constructor`"],
] as const)("%j is shown as %s", ([argv, shown]) => {
  expect(shownCommand(argv)).toBe(shown);
});

test("a fact that cannot be read is named by the host's command or file", () => {
  const names = Object.keys(kinds);
  expect(names).toEqual(expect.arrayContaining(["table", "drained", "routes", "sysctl"]));
  for (const name of names) expect(shownFact(`${name}:4:main` as FactName)).toMatch(/`[a-z]+ |\/|sysctl/);
  expect(shownFact("routes:6:local")).toBe("`ip -j -6 route show table local`");
  expect(shownFact("sysctl:net.ipv4.ip_forward")).toBe("the sysctl net.ipv4.ip_forward");
  expect(shownFact("found:module.ip_vs")).toBe("/run/pulumi-lvs/module.ip_vs/found");
});
