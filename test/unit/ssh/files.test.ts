import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commandConnection } from "../../../src/ssh/command-connection.js";
import { matchesGlob, matchesList } from "../../../src/ssh/glob.js";
import { lookUp } from "../../../src/ssh/known-hosts.js";
import { readRegularFile } from "../../../src/ssh/read-file.js";
import { targetOf } from "../../../src/ssh/target.js";
import { ownHome, refusal } from "../../support/fake/ssh-client.js";

const { path, file, config, server } = ownHome();

/** A pipe that has no writer: reading it as a file would wait for ever. */
const pipe = (name: string): string => {
  execFileSync("mkfifo", [path(name)]);
  return path(name);
};

describe("a pattern", () => {
  test("matches what ssh says it matches", () => {
    const letters = (...among: string[]) =>
      fc.array(fc.constantFrom(...among), { maxLength: 8 }).map((some) => some.join(""));
    fc.assert(
      fc.property(letters("a", "b", ".", "*", "?"), letters("a", "b", "."), (pattern, text) => {
        const regex = pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".");
        expect(matchesGlob(pattern, text)).toBe(new RegExp(`^${regex}$`).test(text));
      }),
      { numRuns: 3000 },
    );
    expect(matchesList(["*.example.com", "!db.*"], "web.example.com")).toBe(true);
    expect(matchesList(["*.example.com", "!db.*"], "db.example.com")).toBe(false);
  });

  const hostile = `${"*a".repeat(5000)}b`;
  const name = "a".repeat(200);

  test("takes no longer than its length allows, in known_hosts", () => {
    const hosts = file("hosts", `${hostile},!${hostile},${name} ssh-ed25519 A\n`);
    expect(lookUp([hosts], name, 22).keys).toEqual([{ type: "ssh-ed25519", base64: "A" }]);
  });

  test("takes no longer than its length allows, in the SSH configuration", () => {
    const other = `Host ${hostile}\n  User other\nMatch originalhost ${hostile}\n  User other\n`;
    config(`Include ${hostile}\n${other}Match host ${hostile},${name}\n  User admin\n`);
    expect(targetOf({ host: name }).user).toBe("admin");
  });
});

test("a section of the SSH configuration matches the name that was given, or what HostName made of it", () => {
  config(
    "Match final originalhost web1 host 10.0.0.1\n  Port 2201\nMatch canonical\n  Port 2202\nHost web1\n  HostName 10.0.0.1\n  IdentityFile one\nMatch user admin\n  IdentityFile two\nMatch exec true\n  IdentityFile three\n",
  );
  expect(targetOf({ host: "web1" })).toMatchObject({ port: 2201, identityFiles: ["one"] });
});

describe("a file that is named", () => {
  test("is read where it is a regular one, up to its limit; /dev/null is an empty one", () => {
    expect(readRegularFile(file("some", "x".repeat(1024)), 1024).toString()).toBe("x".repeat(1024));
    expect(readRegularFile("/dev/null", 1024)).toHaveLength(0);
    // the kernel says of these that they are empty
    expect(readRegularFile("/proc/self/status", 64 * 1024).toString()).toContain("Name:");
    expect(() => readRegularFile("/proc/self/status", 1024 / 4)).toThrow("it is larger than 0.25 KB");
  });

  const special: [string, () => string, string][] = [
    ["a pipe", () => pipe("pipe"), "it is not a regular file"],
    ["a folder", () => path("."), "it is not a regular file"],
    ["a device", () => "/dev/zero", "it is not a regular file"],
    ["too large", () => file("large", "x".repeat(2 * 1024 * 1024)), "it is larger than"],
  ];

  test.each(special)("and is %s, is no key and no known hosts", async (_, make, reason) => {
    const name = make();
    const key = { host: "web1", insecureIgnoreHostKey: true, privateKeyPath: name };
    expect(() => commandConnection(key)).toThrow(`web1: cannot read the private key ${name}: ${reason}`);
    expect(() => commandConnection({ host: "web1", knownHosts: name })).toThrow(
      `web1: cannot read the known hosts ${name}: ${reason}`,
    );
    const { port } = await server();
    expect((await refusal({ port, privateKey: undefined, privateKeyPath: name })).message).toContain(
      `cannot read the private key ${name}: ${reason}`,
    );
    expect((await refusal({ port, hostKey: undefined, knownHosts: name })).message).toContain(
      `cannot read the known hosts ${name}: ${reason}`,
    );
  });

  test("by the SSH configuration alone is passed over as a key, and named as what it includes", async () => {
    config(`Include ${pipe("included")} ${path(".")}\nHost web1\n  IdentityFile ${pipe("identity")}\n`);
    expect(targetOf({ host: "web1" }).identityFiles).toEqual([path("identity")]);
    writeFileSync(path("config"), "x".repeat(2 * 1024 * 1024));
    expect(() => targetOf({ host: "web1" })).toThrow(
      /cannot read the SSH configuration: it is larger than 1024 KB/,
    );
  });
});
