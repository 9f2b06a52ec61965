import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { secured } from "../../../providers/engine/resource-class.js";
import { connection } from "../../../src/ssh/connection.js";
import { errorMap, problemsOf } from "../../../src/values/problem.js";
import { hostKey, secret } from "../../support/fake/ssh-client.js";

/** What is wrong with a connection, as `check` says it. */
function problems(given: unknown): string[] {
  const { error } = connection.safeParse(given, { error: errorMap });
  const printed = error
    ? problemsOf(error, ["connection"]).map(({ path, reason }) => `${path}: ${reason}`)
    : [];
  expect(printed.join("\n")).not.toContain(secret);
  return printed;
}

/** A connection through so many hosts. */
const through = (jumps: number): { host: string; proxy?: unknown } =>
  jumps === 0 ? { host: "web1" } : { host: `jump${jumps}`, proxy: through(jumps - 1) };

describe("a connection", () => {
  test("may go through eight hosts, and no more", () => {
    expect(problems(through(8))).toEqual([]);
    expect(problems(through(9))).toEqual(["connection.proxy: goes through more than 8 hosts"]);
  });

  test("is checked as deep as it goes", () => {
    expect(
      problems({ host: "a", proxy: { host: "b", proxy: { host: "-c", sudo: true, port: 0 } } }).sort(),
    ).toEqual([
      'connection.proxy.proxy.host: "-c" is not a host name or address',
      "connection.proxy.proxy.port: 0 is below 1",
      "connection.proxy.proxy.sudo: is not a known property",
    ]);
  });

  test.each([
    [{ password: secret, passwordEnv: "A" }, "connection.passwordEnv: cannot stand beside password"],
    [{ privateKey: secret, privateKeyEnv: "A" }, "connection.privateKeyEnv: cannot stand beside privateKey"],
    [
      { privateKey: secret, privateKeyPath: "a" },
      "connection.privateKeyPath: cannot stand beside privateKey",
    ],
    [
      { privateKeyEnv: "A", privateKeyPath: "a" },
      "connection.privateKeyPath: cannot stand beside privateKeyEnv",
    ],
    [
      { privateKeyPassword: secret, privateKeyPasswordEnv: "A" },
      "connection.privateKeyPasswordEnv: cannot stand beside privateKeyPassword",
    ],
    [{ passwordEnv: `${secret}!` }, "connection.passwordEnv: is not the name of an environment variable"],
    [
      { privateKeyPath: `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}` },
      "connection.privateKeyPath: is not the name of a file (a key itself goes in privateKey)",
    ],
    [{ hostKey: secret }, "connection.hostKey: is not a public key, such as ssh-ed25519 AAAA…"],
    [
      { hostKey: `ssh-ed25519 AAAA${secret}` },
      "connection.hostKey: is not a public key, such as ssh-ed25519 AAAA…",
    ],
    [
      { hostKey: hostKey.public, insecureIgnoreHostKey: true },
      "connection.insecureIgnoreHostKey: cannot be true beside hostKey",
    ],
    [{ user: "root\u202e" }, "connection.user: has invalid characters"],
    [{ insecureAllowSha1: "yes" }, 'connection.insecureAllowSha1: "yes" is not a boolean; write true'],
  ])("is refused where its fields make no sense, without showing a secret: %#", (given, printed) => {
    expect(problems({ host: "a", ...given })).toEqual([printed]);
    expect(problems({ host: "a", proxy: { host: "b", ...given } })).toEqual([
      printed.replace("connection.", "connection.proxy."),
    ]);
  });

  test("may say that a host key that it has is not to be ignored", () => {
    expect(problems({ host: "a", hostKey: hostKey.public, insecureIgnoreHostKey: false })).toEqual([]);
    expect(problems({ host: "a", insecureIgnoreHostKey: true, insecureAllowSha1: true })).toEqual([]);
  });

  test("takes a host key as people have it: with a comment, as a line of known_hosts, or bare", () => {
    for (const text of [hostKey.public, `web1 ${hostKey.public} me@here`, hostKey.public.split(" ")[1]])
      expect(problems({ host: "a", hostKey: text })).toEqual([]);
  });

  test("has its secrets marked, however deep they stand and whatever is an output", async () => {
    const marked = secured({
      host: "a",
      password: "one",
      proxy: pulumi.output({
        host: "b",
        passwordEnv: "NAME",
        privateKey: "two",
        proxy: { host: "c", privateKeyPassword: "three" },
      }),
    }) as { password: pulumi.Output<string>; proxy: pulumi.Output<unknown> };
    expect(await pulumi.isSecret(marked.password)).toBe(true);
    // an output is a secret as a whole where anything in it is
    expect(await pulumi.isSecret(marked.proxy)).toBe(true);
    const inner = secured({
      host: "b",
      passwordEnv: "NAME",
      proxy: { host: "c", privateKeyPassword: "three" },
    });
    const { proxy, ...others } = inner as {
      proxy: { host: unknown; privateKeyPassword: pulumi.Output<string> };
    };
    expect(others).toEqual({ host: "b", passwordEnv: "NAME" });
    expect(proxy.host).toBe("c");
    expect(await pulumi.isSecret(proxy.privateKeyPassword)).toBe(true);
  });
});
