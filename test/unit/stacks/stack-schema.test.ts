import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { stackSchema } from "../../../stacks/stack-schema.js";

const repository = join(__dirname, "../../..");
// Pulumi's SDK brings this reader of YAML.
const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
const written = JSON.parse(JSON.stringify(stackSchema()));
const schema = z.fromJSONSchema(written);

const places = (given: unknown): string[] =>
  (schema.safeParse(given).error?.issues ?? []).map(({ path }) => path.join("."));

const files = globSync("Pulumi.*.yaml", { cwd: repository }).filter((file) => file !== "Pulumi.yaml");

test.each(files)("%s is right by the schema of stacks' files", (file) => {
  expect(places(load(readFileSync(join(repository, file), "utf8")))).toEqual([]);
});

test("the example and the lab's two files are checked", () => {
  expect(files).toEqual(
    expect.arrayContaining(["Pulumi.example.yaml", "Pulumi.lab-dr.yaml", "Pulumi.lab-nat.yaml"]),
  );
});

const web = {
  kind: "dr",
  director: { connection: { host: "director1" }, interface: "eth0" },
  vips: ["192.168.0.210"],
  services: [{ port: 80 }],
  realServers: [{ address: "192.168.0.221" }],
};
const stack = (cluster: unknown) => ({ config: { "shop:clusters": { web: cluster } } });

test.each<[string, unknown]>([
  ["a typing error", { ...web, realServer: [] }],
  ["no director", { ...web, director: undefined }],
  ["directors without vrrp", { ...web, director: undefined, directors: [web.director] }],
  ["director and directors", { ...web, directors: [web.director], vrrp: { routerId: 51 } }],
  ["a field of the other kind", { ...web, returnRoutes: ["default"] }],
  ["a kind that is none", { ...web, kind: "tunnel" }],
  ["an unknown scheduler", { ...web, services: [{ port: 80, scheduler: "x" }] }],
  ["a port above the range", { ...web, services: [{ port: 65536 }] }],
  ["a weight that is a text", { ...web, realServers: [{ address: "192.168.0.221", weight: "1" }] }],
  ["no VIP", { ...web, vips: [] }],
  ["a status below the range", { ...web, probe: { from: { host: "client1" }, status: 99 } }],
  ["a timeout of 0 in a drain", { ...web, drain: { timeout: 0 } }],
  ["a host without a name", { ...web, director: { connection: { user: "root" }, interface: "eth0" } }],
  [
    "a wrong field of a jump host",
    { ...web, director: { connection: { host: "a", proxy: { hots: "b" } }, interface: "eth0" } },
  ],
])("a stack's file with %s is wrong by it", (_, cluster) => {
  expect(places(stack(web))).toEqual([]);
  expect(places(JSON.parse(JSON.stringify(stack(cluster))))).not.toEqual([]);
});

test("a stack's file with two directors is right by it, of either kind", () => {
  const { director, ...rest } = web;
  const pair = {
    ...rest,
    directors: [director, { connection: { host: "director2" } }],
    vrrp: { routerId: 51 },
  };
  expect(places(stack({ ...pair, sync: { mcastInterface: "eth1" } }))).toEqual([]);
  const vrrp = { routerId: 51, gateways: ["192.168.10.1"] };
  expect(places(stack({ ...pair, kind: "nat", vrrp }))).toEqual([]);
});

test("a cluster's name with a blank is wrong by it", () => {
  expect(places({ config: { "lvs:clusters": { "web 1": web } } })).not.toEqual([]);
});

test("a secret is right by it where one is kept, also of a jump host, and refused elsewhere", () => {
  const secret = { secure: "v1:abcd" };
  const reached = (connection: unknown) => stack({ ...web, director: { connection, interface: "eth0" } });
  expect(places(reached({ host: "a", password: secret }))).toEqual([]);
  expect(places(reached({ host: "a", proxy: { host: "b", privateKey: secret } }))).toEqual([]);
  expect(places(reached({ host: "a", user: secret }))).not.toEqual([]);
});

test("other values of the file are free", () => {
  expect(
    places({ secretsprovider: "passphrase", config: { "aws:region": "eu-west-1", "lvs:other": 1 } }),
  ).toEqual([]);
});
