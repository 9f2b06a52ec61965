import { afterAll, expect, test } from "vitest";
import { sendSignal } from "../support/send-signal.mts";
import { HostileServers, page } from "./harness/hostile-replies.js";
import { soon, Watched } from "./harness/watched.js";

// One curl checks the pages of many servers.

const open = new HostileServers();
afterAll(() => open.close());

const a = "192.168.10.11:80";
const b = "192.168.10.12:80";

function pair(): Watched {
  const host = new Watched();
  host.declare({ [a]: 1, [b]: 2 });
  host.watch();
  host.page(a, "OK");
  host.page(b, "OK");
  return host;
}
const verdicts = (host: Watched) => host.checks().map((line) => line.split("\t")[1]);

test("a round of many servers starts one curl", async () => {
  const host = new Watched();
  const servers = Array.from({ length: 40 }, (_, i) => `192.168.10.${i + 1}:80`);
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  host.watch();
  for (const server of servers) host.page(server, "OK");
  host.tool(
    "curl",
    `printf 'x\\n' >>"$LVS_FAKE_ROOT/curls"\n${host.read("tools/curl").replace("#!/bin/sh\n", "")}`,
  );
  host.start();
  await soon(() => expect(host.read(`asked.${servers[39]}`).length).toBeGreaterThan(4));
  expect(verdicts(host).filter((verdict) => verdict === "up")).toHaveLength(40);
  const rounds = host.read(`asked.${servers[0]}`).length;
  // one more asks for the version, and one may have just begun
  expect(host.lines("curls").length).toBeLessThanOrEqual(rounds + 3);
});

test("with an old curl each server has processes of its own, which the journal says once", async () => {
  const host = new Watched();
  const servers = Array.from({ length: 30 }, (_, i) => `192.168.10.${i + 1}:80`);
  host.declare(Object.fromEntries(servers.map((server) => [server, 1])));
  host.watch();
  for (const server of servers) host.page(server, "OK");
  host.oldCurl();
  expect(await host.run("once")).toBe(0);
  expect(verdicts(host).filter((verdict) => verdict === "up")).toHaveLength(30);
  expect(host.said).toBe("curl 7.74.0 is older than 7.75: each of 30 checks needs processes of its own\n");
});

test("a server that does not answer delays no other of the same curl, and the end of its page is the end", async () => {
  const host = new Watched();
  host.realTool("curl");
  const silent = await open.serve(() => undefined);
  const longer = await open.serve(page("a long page, which says OK"));
  const shorter = await open.serve(page("KO"));
  const refusing = "127.0.0.1:1";
  host.declare({ [silent]: 1, [longer]: 1, [shorter]: 1, [refusing]: 1 });
  host.watch({ interval: 600, timeout: 600, rise: 1, fall: 1 });
  host.start();
  await soon(() => expect(host.table().sort()).toEqual([`${silent} 1`, `${longer} 1`].sort()));
  expect(verdicts(host).sort()).toEqual(["", "down", "down", "up"]);
  expect(host.said).toBe("");
});

test("each process of the round may be killed", async () => {
  const host = pair();
  const { pid } = host.start();
  const copies = (of: number) =>
    host.children(of).filter(({ command }) => /pulumi-lvs.monitor|job=judge/.test(command));
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

test("a curl that is killed by one server says nothing on the others", async () => {
  const host = pair();
  host.watch({ rise: 1, fall: 1 });
  host.tool(
    "curl",
    `case $* in *' -K '*) kill -9 $$;; esac\n${host.read("tools/curl").replace("#!/bin/sh\n", "")}`,
  );
  host.start();
  await soon(() => expect(verdicts(host)).toEqual(["up", "up"]));
  expect(host.said).toMatch(
    /^curl ended before its checks did: for a while each check has a process of its own$/m,
  );
  host.page(b, undefined);
  await soon(() => expect(host.table()).toEqual([`${a} 1`]));
  expect(host.table()).toContain(`${a} 1`);
});
