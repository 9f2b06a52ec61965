import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import type { Connection as Peer, ServerChannel } from "ssh2";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Jumps } from "../../src/ssh/jumps.js";
import { openShell } from "../../src/ssh/open-shell.js";
import { Semaphore } from "../../src/ssh/semaphore.js";
import {
  clientKey,
  type Given,
  hello,
  hostKey,
  ownHome,
  refusal,
  secret,
  to,
} from "../support/fake/ssh-client.js";
import { newKey, type SshServer, sshServer } from "../support/fake/ssh-server.js";
import { freePort } from "../support/free-port.js";

const { file, config, tools, server } = ownHome();

/** As a connection names the host of a server. */
const by = ({ port }: SshServer, more: Given = {}) => {
  const { dialErrorLimit, ...endpoint } = to({ port, ...more });
  return { ...endpoint, ...(more.dialErrorLimit === undefined ? {} : { dialErrorLimit }) };
};

describe("a jump host", () => {
  test("is gone through, named here or in the SSH configuration", async () => {
    const [inner, outer] = [await server(), await server()];
    expect(await hello({ port: inner.port, proxy: by(outer) })).toBe("hello");
    expect([outer.users, inner.users]).toEqual([["root"], ["root"]]);
    file("key", clientKey.private);
    file(
      "hosts",
      `[127.0.0.1]:${inner.port} ${hostKey.public}\n[127.0.0.1]:${outer.port} ${hostKey.public}\n`,
    );
    config(
      `Host inner\n  HostName 127.0.0.1\n  Port ${inner.port}\n  ProxyJump gate@127.0.0.1:${outer.port}\nHost *\n  IdentityFile ~/key\n  UserKnownHostsFile ~/hosts\n`,
    );
    const plain = { host: "inner", hostKey: undefined, privateKey: undefined };
    expect(await hello(plain)).toBe("hello");
    expect(outer.users).toEqual(["root", "gate"]);
  });

  test("may stand behind others, each with its own user, key and secret", async () => {
    const [inner, second, first] = [
      await server(),
      await server({ clientKey: newKey(), password: secret }),
      await server({ clientKey: newKey("ecdsa") }),
    ];
    const key = newKey();
    first.allow(key);
    const proxy = by(second, {
      user: "two",
      privateKey: undefined,
      password: secret,
      proxy: by(first, { user: "one", privateKey: key.private }),
    });
    expect(await hello({ port: inner.port, proxy })).toBe("hello");
    expect([first.users, second.users, inner.users]).toEqual([["one"], ["two"], ["root"]]);
    expect([first.commands, second.commands]).toEqual([[], []]);
  });

  test("of several in ProxyJump is gone through in turn", async () => {
    const [inner, second, first] = [await server(), await server(), await server()];
    file("key", clientKey.private);
    file(
      "hosts",
      [inner, second, first].map(({ port }) => `[127.0.0.1]:${port} ${hostKey.public}\n`).join(""),
    );
    config(
      `Host inner\n  HostName 127.0.0.1\n  Port ${inner.port}\n  ProxyJump one@127.0.0.1:${first.port},two@[127.0.0.1]:${second.port}\nHost *\n  IdentityFile ~/key\n  UserKnownHostsFile ~/hosts\n`,
    );
    expect(await hello({ host: "inner", hostKey: undefined, privateKey: undefined })).toBe("hello");
    expect([first.users, second.users, inner.users]).toEqual([["one"], ["two"], ["root"]]);
    expect(second.connections).toBe(1);
  });

  test("is connected to once for all hosts behind it, and opens no session", async () => {
    const outer = await server({ maxSessions: 0 });
    const inner = await Promise.all(Array.from({ length: 6 }, () => server({ maxSessions: 1 })));
    const shells = await Promise.all(inner.map(({ port }) => openShell(to({ port, proxy: by(outer) }))));
    onTestFinished(() => {
      for (const shell of shells) shell.close();
    });
    expect(outer.connections).toBe(1);
    expect(inner.map(({ connections, most }) => [connections, most.sessions])).toEqual(
      inner.map(() => [1, 1]),
    );
  });

  test("that is still connected does not keep the process from ending", async () => {
    const [inner, outer] = [await server(), await server()];
    const given = JSON.stringify(to({ port: inner.port, proxy: by(outer) }));
    const ssh = JSON.stringify(join(__dirname, "../../dist/src/ssh/open-shell.js"));
    const child = spawn(
      process.execPath,
      ["-e", `require(${ssh}).openShell(${given}).then((shell) => { console.log("open"); shell.close(); })`],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    onTestFinished(() => void child.kill());
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect([code, printed, outer.connections]).toEqual([0, "open\n", 1]);
  });

  test("that was lost is connected to anew", async () => {
    const [inner, outer] = [await server(), await server()];
    const given = { port: inner.port, proxy: by(outer), dialErrorLimit: 5 };
    const shell = await openShell(to(given));
    const closed = new Promise<void>((resolve) => shell.onClose(() => resolve()));
    outer.cut();
    await closed;
    expect(await hello(given)).toBe("hello");
    expect(outer.connections).toBe(2);
  });

  test("that cannot reach the host says so, and is tried again as often as was set", async () => {
    const outer = await server();
    const port = await freePort();
    const { message } = await refusal({ host: "127.0.0.2", port, proxy: by(outer), dialErrorLimit: 2 });
    expect(message).toMatch(
      /^127\.0\.0\.2:\d+: cannot be reached by way of 127\.0\.0\.1:\d+: it gets no connection to there \(2 attempts in \d+ s\); check that it is up, and that 127\.0\.0\.2:\d+ can be reached from there$/,
    );
    expect(outer.connections).toBe(1);
  });

  test("that passes nothing on says so, at once", async () => {
    const outer = await server({ forwards: false });
    const { message } = await refusal({ port: 1, proxy: by(outer), dialErrorLimit: 10 });
    expect(message).toMatch(
      /by way of 127\.0\.0\.1:\d+: its sshd forbids that; set AllowTcpForwarding and PermitOpen in its sshd_config$/,
    );
  });

  test("that is an impostor is refused, and the error names it and not the host", async () => {
    const [inner, outer] = [await server(), await server()];
    const proxy = by(outer, { hostKey: newKey().public });
    const { message } = await refusal({ port: inner.port, proxy, dialErrorLimit: 10 });
    expect(message).toMatch(
      new RegExp(
        `^127\\.0\\.0\\.1:${inner.port}: cannot be reached by way of 127\\.0\\.0\\.1:${outer.port}: its host key is not the expected one`,
      ),
    );
    expect([outer.users, inner.connections]).toEqual([[], 0]);
  });

  test("that is away is tried as often as its own limit says, not that times the host's", async () => {
    const outer = { host: "127.0.0.1", port: await freePort(), hostKey: hostKey.public, dialErrorLimit: 2 };
    const { message } = await refusal({
      port: 1,
      proxy: { ...outer, privateKey: clientKey.private },
      dialErrorLimit: 10,
    });
    expect(message).toMatch(
      /by way of \S+: cannot be reached at .*ECONNREFUSED.* \(2 attempts in \d+ s\); check/,
    );
  });

  test("whose password is wrong is refused without showing it", async () => {
    const outer = await server({ password: "right" });
    const proxy = by(outer, { privateKey: undefined, password: secret });
    expect((await refusal({ port: 1, proxy })).message).toMatch(/by way of .*: login as .* was refused/);
  });
});

describe("the pool of jump hosts", () => {
  class Client extends EventEmitter {
    ended = 0;
    end() {
      this.ended++;
      this.emit("close");
    }
  }
  const jumps = new Jumps<Client>(30);
  const opened: Client[] = [];
  const open = async () => {
    const client = new Client();
    opened.push(client);
    return client;
  };

  test("closes what no connection uses any more, after a while, and not before", async () => {
    const [one, two] = await Promise.all([jumps.lease("a", open), jumps.lease("a", open)]);
    expect(one.client).toBe(two.client);
    one.release();
    const three = await jumps.lease("a", open);
    two.release();
    three.release();
    const four = await jumps.lease("a", open);
    expect(four.client.ended).toBe(0);
    four.release();
    await vi.waitFor(() => expect(one.client.ended).toBe(1), { timeout: 60_000 });
    const five = await jumps.lease("a", open);
    expect(five.client).not.toBe(one.client);
    expect(opened).toHaveLength(2);
    five.release();
  });

  test("keeps nothing of an attempt that failed", async () => {
    await expect(jumps.lease("b", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const { client, release } = await jumps.lease("b", open);
    expect(client).toBeInstanceOf(Client);
    release();
  });

  test("keeps the ways of other users and other keys apart", async () => {
    const [one, two] = await Promise.all([jumps.lease("c", open), jumps.lease("d", open)]);
    expect(one.client).not.toBe(two.client);
    one.release();
    two.release();
  });
});

/** Holds handshakes until that many are there at a time, and then lets all go on. */
function barrier(places: number) {
  const seen = { now: 0, most: 0 };
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const hold = (): Promise<void> => {
    seen.most = Math.max(seen.most, ++seen.now);
    if (seen.now === places) open();
    return opened;
  };
  return { seen, hold, onPeer: (peer: Peer) => void peer.on("ready", () => seen.now--) };
}

const greeting = (channel: ServerChannel) =>
  void channel.once("data", () => channel.write("pulumi-lvs shell\n"));

describe("handshakes", () => {
  test("are at most eight at a time with one sshd", async () => {
    const { hold } = barrier(8);
    const busy = await server({ hold, serve: greeting });
    const user = (_: unknown, i: number) =>
      to({ port: busy.port, user: `user${i}`, sudo: false, perDialTimeout: 0 });
    const shells = await Promise.all(Array.from({ length: 20 }, user).map(openShell));
    for (const shell of shells) shell.close();
    expect(busy.connections).toBe(20);
    expect(busy.most.handshakes).toBe(8);
  }, 180_000);

  test("are at most 16 at a time with 200 hosts", async () => {
    const { seen, ...held } = barrier(16);
    const hosts = await Promise.all(Array.from({ length: 200 }, () => server({ ...held, serve: greeting })));
    const shells = await Promise.all(hosts.map(({ port }) => openShell(to({ port, perDialTimeout: 0 }))));
    for (const shell of shells) shell.close();
    expect(hosts.map(({ connections }) => connections)).toEqual(hosts.map(() => 1));
    expect(seen.most).toBe(16);
  }, 180_000);

  test("go on in the order they came, also after one that failed", async () => {
    const semaphore = new Semaphore(1);
    const order: number[] = [];
    const work = (n: number) =>
      semaphore.run(async () => {
        await Promise.resolve();
        order.push(n);
        if (n === 1) throw new Error("failed");
      });
    const results = await Promise.allSettled([1, 2, 3, 4].map(work));
    expect(order).toEqual([1, 2, 3, 4]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
  });

  test.each(["once", "exchange", "login", "session"] as const)(
    "that the host drops (%s) are tried again",
    async (at) => {
      const made = await server({ drops: { connections: 1, at } });
      expect(await hello({ port: made.port, dialErrorLimit: 2 })).toBe("hello");
      expect(made.connections).toBe(2);
    },
  );

  test("that the host goes on dropping end after as many attempts as were set", async () => {
    const made = await server({ drops: { connections: 100, at: "once" } });
    const { message } = await refusal({ port: made.port, dialErrorLimit: 3 });
    expect(message).toMatch(
      /: cannot be reached at root@\S+: Connection lost before handshake \(3 attempts in \d s\); check that it is up/,
    );
    expect(made.connections).toBe(3);
  });

  test("with a host that is booting are tried again, and the error has its words", async () => {
    const banner =
      '"System is booting up. Unprivileged users are not permitted to log in yet. Please come back later."\r\n';
    const made = await server({ drops: { connections: 1, at: "login" }, banner });
    expect(await hello({ port: made.port, dialErrorLimit: 2 })).toBe("hello");
    const never = await server({ drops: { connections: 100, at: "login" }, banner });
    expect((await refusal({ port: never.port, dialErrorLimit: 2 })).message).toMatch(
      /: it accepts no login yet: "System is booting up\..* \(2 attempts in \d s\); wait until it is up$/,
    );
  });

  test("with a host that starts no session fail at once", async () => {
    const made = await server({ maxSessions: 0 });
    expect((await refusal({ port: made.port, dialErrorLimit: 10 })).message).toMatch(
      /: cannot start a shell: .*; see MaxSessions and ForceCommand in its sshd_config$/,
    );
    expect(made.connections).toBe(1);
  });

  test("of a host that boots meanwhile succeed in the end", async () => {
    const port = await freePort();
    const late = hello({ port, dialErrorLimit: 6 });
    const made = await sshServer({ hostKey, clientKey, path: tools(), port });
    onTestFinished(() => made.close());
    expect(await late).toBe("hello");
  });
});
