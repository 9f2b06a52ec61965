import { expect, test } from "vitest";
import { Engine } from "../../../providers/engine/engine.js";
import { serviceProbe } from "../../../providers/service-probe/index.js";
import { parseReplies, parseWay } from "../../../providers/service-probe/replies.js";
import { fakeHost } from "../../support/fake/engine.js";

// with every fault that it can find: test/faults/probe.test.ts

test("a probe asks when it is created, and leaves nothing on the host", async () => {
  const fake = fakeHost();
  const before = fake.snapshot();
  fake.write("replies", "0 200 41000 rs1\n0 200 41001 rs2\n");
  const engine = new Engine(serviceProbe, () => fake.host);
  const url = "http://192.168.0.219/";
  const given = { connection: { host: "client1" }, url, requests: 2, within: 0, spread: { servers: 2 } };
  const { inputs, failures } = engine.check({}, given);
  expect(failures).toEqual([]);
  expect((await engine.create(inputs)).id).toBe(`client1/probe/${url}`);
  fake.write("replies", "0 200 41000 rs1\n");
  await expect(engine.create(inputs)).rejects.toThrow(
    new Error(`probe/${url} failed on client1: replies came from "rs1" (2): wanted 2 servers`),
  );
  fake.remove("replies");
  expect(fake.snapshot()).toBe(before);
});

test("who only connects is content with a connection, whatever curl makes of the silence that follows", () => {
  const lines = "28 000 41000- 1 (28) Time-out\n0 000 41001- 1 220 mail\n7 000 - 1 (7) refused\n";
  expect(parseReplies({ url: "tcp://192.168.0.219:25" }, lines).map(({ code }) => code)).toEqual([0, 0, 7]);
});

test("where curl has no telnet, HTTP connects as well, whatever the other end speaks", () => {
  const url = "tcp://192.168.0.219:22";
  const lines =
    "1 000 41000- 1 (1) Received HTTP/0.9 when not allowed\n0 404 41001- 1 HTTP/1.1 404\n1 000 - 1 (1) no\n";
  expect(parseReplies({ url }, lines)).toMatchObject([
    { code: 0, status: 0 },
    { code: 0, status: 0 },
    { code: 1, status: 0 },
  ]);
});

test("the way to a neighbour, by a router, and to oneself", () => {
  expect(parseWay("10.0.0.1 via 192.168.0.1 dev eth0 src 192.168.0.5 uid 0")).toEqual({
    local: false,
    via: "192.168.0.1",
    device: "eth0",
    source: "192.168.0.5",
  });
  expect(parseWay("local 10.0.0.1 dev lo src 10.0.0.1")).toMatchObject({ local: true, source: "10.0.0.1" });
});
