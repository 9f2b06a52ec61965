import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isKeptSecret, secretPlaces } from "../../../stacks/secret-places.js";
import { ownHome } from "../../support/fake/ssh-client.js";

const { path, file } = ownHome();

describe("secrets of a stack's configuration", () => {
  const places = (given: unknown) =>
    secretPlaces(given, { folder: path("."), project: "lvs", stack: "prod", key: "clusters" });
  const yaml =
    "config:\n  lvs:clusters:\n    web:\n      vips: [{ secure: v1:A }, 10.0.0.1]\n      drain: null\n";

  test("are found where the file says `secure`", () => {
    file("Pulumi.yaml", "name: lvs\n");
    file("Pulumi.prod.yaml", yaml);
    expect(places({ web: { vips: ["10.0.0.2", "10.0.0.1"], drain: null } })).toEqual([["web", "vips", 0]]);
  });

  test("are found in the folder that the project names, and in JSON", () => {
    mkdirSync(path("stacks"));
    file("Pulumi.yaml", "name: lvs\nstackConfigDir: stacks\n");
    file("stacks/Pulumi.prod.json", JSON.stringify({ config: { "lvs:clusters": { secure: "v1:A" } } }));
    expect(places({ web: {} })).toEqual([[]]);
  });

  test("are not known where the file has another value, or is none", () => {
    file("Pulumi.yaml", "name: lvs\n");
    expect(places({ web: {} })).toBeUndefined();
    file("Pulumi.prod.yaml", yaml);
    for (const other of [
      { web: { vips: ["10.0.0.2", "10.0.0.3"], drain: null } },
      { web: { vips: ["10.0.0.2"], drain: null } },
      { web: { vips: ["10.0.0.2", "10.0.0.1"] } },
      { web: { vips: ["10.0.0.2", "10.0.0.1"], drain: null, more: 1 } },
      {},
    ])
      expect(places(other)).toBeUndefined();
    file("Pulumi.prod.yaml", "config: [\n");
    expect(places({})).toBeUndefined();
  });

  test.each([
    ["web.director.connection.password", true],
    ["web.director.connection.proxy.proxy.privateKey", true],
    ["web.realServers.0.connection.privateKeyPassword", true],
    ["web.probe.from.password", true],
    ["web.director.connection.user", false],
    ["web.director.connection", false],
    ["web.password", false],
    ["connection.web.vips.0.password", false],
    ["", false],
  ])("are kept at %s: %j", (at, isKept) => {
    expect(isKeptSecret(at.split(".").filter(Boolean))).toBe(isKept);
  });
});
