import { describe, expect, test } from "vitest";
import { RemoteShell } from "../../src/host/remote-shell.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { disconnect, rawServer } from "../support/fake/raw-server.js";
import { type Given, ownHome, refusal, to } from "../support/fake/ssh-client.js";

const { server, tools } = ownHome();

const nasty = "\x1b]0;owned\x07\x1b[2J\u202e\x9b31m\r\n::error::forged\r\n";
const oneLine = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,2000}$/u;

describe("the words of a host are shown in one line of visible characters", () => {
  test("when it ends the connection before its key was checked", async () => {
    const port = await rawServer((socket) => {
      socket.write("SSH-2.0-x\r\n");
      socket.once("data", () => socket.end(disconnect(nasty)));
    });
    const { message } = await refusal({ port });
    expect(message).toMatch(oneLine);
    expect(message).toContain("\\u001b[2J\\u202e\\u009b31m\\u000d\\u000a::error::forged");
  });

  test("when it speaks no SSH", async () => {
    const port = await rawServer((socket) => void socket.end(nasty));
    expect((await refusal({ port })).message).toMatch(oneLine);
  });

  test.each<[string, Given, Parameters<typeof server>[0]]>([
    ["its banner", {}, { banner: `${nasty}System is booting up.${nasty}`, takes: [] }],
    ["its shell that ends", {}, { greeting: nasty, serve: (channel) => void channel.end(nasty) }],
    [
      "the errors of its shell",
      {},
      {
        serve: (channel) => {
          channel.stderr.write(nasty);
          channel.end();
        },
      },
    ],
    [
      "its question",
      { privateKey: undefined, password: "x" },
      { takes: ["keyboard-interactive"], password: "x", questions: ["Password: ", nasty] },
    ],
    [
      "the ways to log in that it takes",
      {},
      { takes: ["publickey", nasty as never], clientKey: undefined as never },
    ],
  ])("in %s", async (_, given, options) => {
    const { port } = await server(options);
    expect((await refusal({ port, ...given })).message).toMatch(oneLine);
  });

  test("by its sudo", async () => {
    const { port } = await server({
      path: tools(`printf 'sudo: \\033[2J\\342\\200\\256no\\233\\n::error::forged\\n' >&2; exit 1`),
    });
    const { message } = await refusal({ port, user: "admin" });
    expect(message).toMatch(oneLine);
    expect(message).toMatch(/cannot become root: sudo: \\u202eno/);
  });

  test("before the connection is lost", async () => {
    const { port } = await server({
      serve: (channel) => {
        channel.setEncoding("utf8");
        channel.on("data", (text: string) => {
          if (text.includes("pulumi-lvs shell")) return void channel.write("pulumi-lvs shell\n");
          channel.stderr.write(nasty);
          channel.end();
        });
      },
    });
    const shell = openShell(to({ port })).then((stream) => RemoteShell.open("web1", stream));
    await expect(shell).rejects.toThrow(oneLine);
    await expect(shell).rejects.toThrow(/the connection was lost before/);
  });
});
