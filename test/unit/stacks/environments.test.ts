import { globSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { makeAll, mistakesOf, program } from "../../support/fake/cluster-program.js";

const { load } = createRequire(require.resolve("@pulumi/pulumi"))("js-yaml");
const folder = join(__dirname, "../../bench/environments");
const files = globSync("*.yaml", { cwd: folder });

afterEach(() => vi.restoreAllMocks());

const fifty = {
  farm: {
    kind: "dr",
    director: { connection: { host: "lb1" }, interface: "eth0" },
    vips: ["203.0.113.10"],
    services: [{ port: 80 }, { port: 443 }],
    realServers: Array.from({ length: 50 }, (_, i) => ({
      name: `web${i}`,
      address: `10.9.0.${i + 1}`,
      connection: { host: `web${i}` },
    })),
  },
};

const environments = [
  ...files.map((file) => [file, load(readFileSync(join(folder, file), "utf8")).config["lvs:clusters"]]),
  ["50 servers in a loop", fifty],
];

test("there are several of them", () => expect(files.length).toBeGreaterThanOrEqual(6));

test.each(environments)(
  "%s: YAML and program preview without a mistake and without a socket",
  async (_, clusters) => {
    const connect = vi.spyOn(net.Socket.prototype, "connect");
    expect(mistakesOf(clusters)).toEqual([]);
    const { all, error } = await program(() => makeAll(clusters), true);
    expect(error).toBeUndefined();
    expect(all.length).toBeGreaterThan(5);
    expect(connect).not.toHaveBeenCalled();
  },
);
