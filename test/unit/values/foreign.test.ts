import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { realServer } from "../../../providers/real-server/index.js";
import { sysctl } from "../../../providers/sysctl.js";
import { virtualAddress } from "../../../providers/virtual-address.js";
import { HostError, lastLines, plainLines } from "../../../src/errors.js";
import { Facts } from "../../../src/facts/facts.js";
import { isPlain, isPlainThroughout, plainText, visible } from "../../../src/values/foreign.js";
import { show } from "../../../src/values/problem.js";
import { fakeHost, resources } from "../../support/fake/engine.js";
import { hostileText } from "../../support/fake/hostile.js";

/** One line that every terminal shows as it is, without a command that CI runners look for anywhere in a line. */
const oneLine = /^(?!.*##(?:\[|[A-Za-z]+\[))[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;

/** Texts with much in them that is not to be shown. */
const nasty = fc
  .array(
    fc.oneof(
      hostileText,
      fc.constantFrom("\x1b[2J", "\n::error::forged", "\r", "\x9b31m", "\x7f", "\u2028", "\u2029", "\u0085"),
      fc.constantFrom("##[stop-commands]a", "##vso[task.setvariable variable=A]b", "###[error]c", "#"),
      fc.constantFrom("\u202e", "\u2066", "\u200f", "\ud83d", "\udc00", "\ufeff", "\0"),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("utf8")),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

describe("what others say", () => {
  test("is one line of visible characters, however long and strange it is, and no longer than it may be", () => {
    fc.assert(
      fc.property(nasty, fc.integer({ min: 10, max: 400 }), (text, most) => {
        const plain = plainText(text, most);
        expect(plain).toMatch(oneLine);
        expect(plain.length).toBeLessThanOrEqual(most);
        expect(visible(text)).toMatch(oneLine);
        expect(show(text)).toMatch(oneLine);
        expect(show({ [text]: text })).toMatch(oneLine);
        expect(lastLines(text)).toMatch(oneLine);
        for (const line of plainLines(text)) expect(line).toMatch(oneLine);
        expect(new HostError("web1", text, text).message).toMatch(oneLine);
      }),
    );
  });

  test("is left as it is where there is nothing wrong with it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii", maxLength: 80 }), (text) => {
        expect(isPlain(text)).toBe(true);
        expect(plainText(text, 80)).toBe(text);
      }),
    );
    expect(plainText("Gerät nicht gefunden: 没有 😀")).toBe("Gerät nicht gefunden: 没有 😀");
    expect(plainText("\x1b[2J\n")).toBe("\\u001b[2J\\u000a");
  });

  test("is found wherever it stands in a value", () => {
    expect(isPlainThroughout({ a: ["b", { c: 1, d: null }] })).toBe(true);
    for (const value of ["\n", ["\u202e"], { a: { "\x9b": 1 } }, "x".repeat(2000)])
      expect(isPlainThroughout(value)).toBe(false);
  });
});

describe("what a tool of a host prints", () => {
  const factsOf = (body: string) => new Facts({ get: () => ({ body }) });
  const heading = "IP Virtual Server version 1.2.1 (size=4096)\n";
  const link = (field: string, value: string) =>
    JSON.stringify([
      {
        ifname: "eth0",
        addr_info: [{ family: "inet", local: "10.0.0.1", prefixlen: 8 }],
        ...(field === "ifname" ? { ifname: value } : {}),
        ...(field === "label"
          ? { addr_info: [{ family: "inet", local: "10.0.0.1", prefixlen: 8, label: value }] }
          : {}),
      },
    ]);

  test.each<[string, (text: string) => unknown]>([
    ["an interface's name", (text) => factsOf(link("ifname", text)).addresses()],
    ["a label", (text) => factsOf(link("label", text)).addresses()],
    ["a route", (text) => factsOf(JSON.stringify([{ dst: "default", dev: text }])).routes("4", "main")],
    ["a sysctl", (text) => factsOf(Buffer.from(`${text}\n`).toString("latin1")).sysctl("net.x")],
    ["an entry", (text) => factsOf(`-A -t 10.0.0.1:80 -s rr --new ${text}\n${heading}`).ipvs()],
    ["a module", (text) => factsOf(`loaded\nx=${text}\n`).module("x")],
    [
      "a drained server",
      (text) => {
        const [server] = factsOf(`tcp://10.0.0.1:80\t${text}\t1\t2\t3\n`).drained();
        if (!server) throw new Error("cannot read drained: passed over");
      },
    ],
  ])("does not become part of state, where a terminal would obey it: %s", (_, read) => {
    expect(() => read("plain")).not.toThrow();
    for (const text of ["\x1b[2J", "\x9b31m", "\x7f"])
      expect(() => read(text), JSON.stringify(text)).toThrow(/^cannot read \S+: /);
  });

  test("has no line of its own in a value", () => {
    const text = "a\n::error::b";
    expect(() => factsOf(link("label", text)).addresses()).toThrow(oneLine);
    expect(() => factsOf(`${text}\n`).sysctl("net.x")).toThrow(oneLine);
  });

  test("is shown in one line", async () => {
    const fake = fakeHost();
    fake.write("proc/sys/net/ipv4/ip_forward", "\x1b]0;owned\x07\n");
    const kind = resources(sysctl, fake);
    await expect(kind.create({ name: "net.ipv4.ip_forward", value: "1" })).rejects.toThrow(oneLine);
  });

  test("about whose a thing is is cut to one line", async () => {
    const fake = fakeHost();
    fake.write("addresses", `${fake.read("addresses")}lo 192.168.0.219/32 - - -\n`);
    fake.write(
      "etc/pulumi-lvs/boot",
      "80\tobject\tVirtualAddress lo/192.168.0.219\tother/\u202estack/x\taddress\tlo\t192.168.0.219/32\n",
    );
    const change = resources(virtualAddress, fake).create({ interface: "lo", address: "192.168.0.219" });
    await expect(change).rejects.toThrow(oneLine);
    await expect(change).rejects.toThrow(/on director1: /);
  });
});

test("a value that is not fit to be shown is not named as a property, which Pulumi would show", () => {
  const { engine } = resources(virtualAddress, fakeHost());
  const check = (args: object) =>
    engine.check({}, { connection: { host: "director1" }, owner: "p/s/n", ...args }).failures;
  const vip = { interface: "lo", address: "192.168.0.219" };
  expect(check({ ...vip, label: "lo:1\n::error::" })).toEqual([
    { property: "", reason: "label: is not a label such as eth0:1" },
  ]);
  expect(check({ ...vip, label: "eth0:" })).toEqual([
    { property: "label", reason: "is not a label such as eth0:1" },
  ]);
  const server = resources(realServer, fakeHost()).engine;
  for (const { property, reason } of server.check(
    {},
    { service: "\n::error::", address: "\x1b", port: "\u2028" },
  ).failures) {
    expect(`${property}${reason}`).toMatch(oneLine);
    expect(["", "connection"]).toContain(property);
  }
});
