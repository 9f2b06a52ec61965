import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { connectionFlags } from "../../../cli/forget/flags.js";
import { forget } from "../../../cli/forget/forget.js";
import { parseCommandLine } from "../../../cli/program.js";
import { HostError } from "../../../src/errors.js";
import { connection } from "../../../src/ssh/connection.js";

const help = (...argv: string[]): string => {
  const one = parseCommandLine(argv);
  return one.command === "help" ? one.text : `no help: ${JSON.stringify(one)}`;
};

const commands = ["up", "plan", "rollback", "failover", "maintenance", "rolling", "status", "forget"];

describe("the command line", () => {
  test("has help for all commands, also without arguments, and its version", () => {
    for (const argv of [[], ["--help"], ["-h"], ["help"]])
      for (const command of commands) expect(help(...argv)).toMatch(new RegExp(`^ {2}${command} `, "m"));
    const { version } = JSON.parse(readFileSync(join(__dirname, "../../../package.json"), "utf8"));
    expect(help("--version")).toBe(`${version}\n`);
  });

  test.each(commands)("has help for %s, with its flags, an example and the exit codes", (command) => {
    for (const argv of [
      [command, "--help"],
      [command, "-h"],
      ["help", command],
    ]) {
      const text = help(...argv);
      expect(text).toMatch(new RegExp(`^Usage: pulumi-lvs ${command} `));
      expect(text).toMatch(new RegExp(`^Examples?:\\n {2}npx pulumi-lvs ${command} `, "m"));
      expect(text).toMatch(/^Exit codes:\n {2}0 /m);
      // no colours, on a terminal or not
      expect(text).not.toContain("\u001b");
    }
  });

  test("says which flags of up are its own", () => {
    expect(help("up", "--yes", "-m", "text", "--help")).toContain(
      "Own flags are --verify, --plan and --help. All others go to `pulumi up` unchanged: see pulumi up --help.",
    );
  });

  test("takes no value of a flag of pulumi up for a flag", () => {
    const argv = ["-m", "--verify", "--target=--help", "--yes", "--verify=exit 0", "-c", "a=b"];
    expect(parseCommandLine(["up", ...argv])).toEqual({
      command: "up",
      verify: "exit 0",
      rest: ["-m", "--verify", "--target=--help", "--yes", "-c", "a=b"],
    });
    expect(parseCommandLine(["up", "--plan", "p.json", "--yes"])).toEqual({
      command: "up",
      plan: "p.json",
      rest: ["--yes"],
    });
    expect(parseCommandLine(["up", "--verbose", "3"])).toEqual({ command: "up", rest: ["--verbose", "3"] });
  });

  test.each([
    [["rolback"], "unknown command 'rolback'; did you mean rollback?; see pulumi-lvs --help"],
    [
      ["rollback", "--stak", "x"],
      "unknown option '--stak'; did you mean --stack?; see pulumi-lvs rollback --help",
    ],
    [["rollback", "now"], /too many arguments for 'rollback'/],
    [
      ["forget", "d", "--prot", "1"],
      "unknown option '--prot'; did you mean --port?; see pulumi-lvs forget --help",
    ],
    [["forget", "d", "--user"], /option '--user <name>' argument missing; see pulumi-lvs forget --help/],
    [["up", "--verfiy", "exit 0"], "unknown option '--verfiy'; did you mean --verify?"],
    [["plan", "--json", "--markdown"], /plan prints --json or --markdown, not both/],
    [
      ["plan", "--markdwn"],
      "unknown option '--markdwn'; did you mean --markdown?; see pulumi-lvs plan --help",
    ],
    [["up", "--verify"], /--verify needs a command/],
    [["up", "--plan="], /--plan needs the file that pulumi-lvs plan --save has written/],
    [["plan", "--save"], /option '--save <file>' argument missing; see pulumi-lvs plan --help/],
  ])("refuses %s, and names the nearest word", (argv, why) => {
    expect(parseCommandLine(argv)).toEqual({
      command: "wrong",
      why: typeof why === "string" ? why : expect.stringMatching(why),
    });
  });
});

describe("pulumi-lvs forget", () => {
  test("has a flag for each argument of the connection that a line can hold", () => {
    const camelCase = (flag: string) => flag.replaceAll(/-([a-z])/g, (_, one: string) => one.toUpperCase());
    const { shape } = connection as unknown as { shape?: Record<string, unknown> };
    const names = Object.keys(connectionFlags).map(camelCase);
    if (shape) expect(names.filter((name) => !(name in shape))).toEqual([]);
    expect(names).toContain("privateKeyPath");
  });

  test("names flags in messages of the connection, not arguments", async () => {
    const refused = new HostError("director1", "no login", "check user, privateKeyPath, agent or password");
    const submit = () => Promise.reject(refused);
    const run = (given: object) => {
      const printed: string[] = [];
      const io = { list: (line: string) => printed.push(line), log: (line: string) => printed.push(line) };
      return forget(
        { connection: { host: "director1", ...given }, yes: false },
        io,
        () => ({ submit }) as never,
      ).then(
        () => printed.join("\n"),
        (error: Error) => error.message,
      );
    };
    expect(await run({})).toMatch(/check user, --private-key-path, agent or password/);
    const both = await run({ privateKeyPath: "k", privateKeyEnv: "K" });
    expect(both).toMatch(/--private-key-/);
    expect(both).not.toMatch(/privateKey/);
  });
});
