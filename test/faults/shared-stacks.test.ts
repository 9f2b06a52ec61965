import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Stack } from "../lab/stack.mjs";
import freshBuild from "../support/fake/fresh-build.js";
import { clientKeyIn, SshHost } from "../support/fake/ssh-host.js";

const vip = "192.168.0.210";
const stacks = new Map<string, Stack>();
let place: string;
let hosts: SshHost[];
let keyPath: string;

beforeAll(async () => {
  freshBuild();
  place = mkdtempSync(join(tmpdir(), "lvs-stacks-"));
  const { key, path } = clientKeyIn(place);
  keyPath = path;
  hosts = [await SshHost.start(key), await SshHost.start(key)];
  for (const { fake } of hosts) fake.withModules();
  for (const name of ["shop", "blog"])
    stacks.set(
      name,
      await Stack.ofProgram("", { HOME: place, SSH_AUTH_SOCK: "", LVS_SSH_CONFIG: "/dev/null" }, name),
    );
});

afterAll(async () => {
  for (const stack of stacks.values()) await stack.dispose();
  for (const host of hosts ?? []) await host.dispose();
  rmSync(place, { recursive: true, force: true });
});

const stackOf = (name: string) => stacks.get(name) as Stack;

/** A cluster at the one VIP, on a director and a real server that both stacks have. */
async function declare(name: string, port: number, more = ""): Promise<void> {
  const [director, server] = hosts.map((host) => JSON.stringify(host.connection(keyPath)));
  await stackOf(name).program(`
new lvs.DrCluster("web", {
  director: { connection: ${director}, interface: "eth0" },
  vips: [{ address: "${vip}", shared: true, ${more} }],
  services: [{ port: ${port} }],
  realServers: [{ name: "one", address: "192.168.0.221", connection: ${server} }],
});`);
}

const things = (fake: SshHost["fake"]) =>
  ["addresses", "routes", "ipvs"].map((file) => fake.lines(file).filter((text) => text.includes(vip)).length);

const owners = (fake: SshHost["fake"]) =>
  fake
    .owners()
    .filter((text) => /VirtualAddress|HostRoute/.test(text))
    .map((text) => text.split("/")[1]);

test("two stacks share a VIP with its routes: each sees the other, either may go, and the last one clears up", {
  timeout: 1_800_000,
}, async () => {
  const [shop, blog] = [stackOf("shop"), stackOf("blog")];
  const fakes = hosts.map(({ fake }) => fake);
  await declare("shop", 80);
  await shop.up();

  // Other details are refused, with the other owner and the field.
  await declare("blog", 25, 'broadcast: "192.168.0.255"');
  const refused = await blog.pulumi("up", "--yes", "--skip-preview");
  expect(refused.code).not.toBe(0);
  expect(refused.text).toContain(
    `it is shared by test/shop/web-one-vip-${vip}, of another stack, with other settings: broadcast is null, wanted "192.168.0.255"`,
  );

  await blog.destroy();

  // A rollback of the second stack leaves what the first one has.
  await declare("blog", 25);
  const failed = await blog.pulumiLvs([
    ...["up", "--yes", "--skip-preview", "--non-interactive", "--color", "never"],
    ...["--verify", "exit 1"],
  ]);
  expect(failed.code, failed.text).toBe(10);
  expect(fakes.map(things)).toEqual([
    [1, 1, 2],
    [1, 1, 0],
  ]);
  expect(fakes.flatMap(owners)).toEqual(["shop", "shop", "shop", "shop"]);

  await blog.up();
  for (const fake of fakes) expect(owners(fake).sort()).toEqual(["blog", "blog", "shop", "shop"]);
  await shop.refresh();
  const seen = (await shop.resources()).filter(({ type }) => /VirtualAddress|HostRoute/.test(type));
  expect(seen.map(({ outputs }) => outputs.sharedWith)).toEqual(
    seen.map(({ urn }) => [`test/blog/${urn.split("::").at(-1)}`]),
  );
  expect((await shop.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")).code).toBe(0);

  // What the other stack has is not touched for a moment.
  const before = fakes.map((fake) => fake.changes().length);
  await shop.destroy();
  for (const [i, fake] of fakes.entries())
    expect(
      fake
        .changes()
        .slice(before[i])
        .filter((text) => /^ip .*(addr|route) del /.test(text)),
    ).toEqual([]);
  expect(fakes.map(things)).toEqual([
    [1, 1, 2],
    [1, 1, 0],
  ]);
  expect(fakes.flatMap(owners)).toEqual(["blog", "blog", "blog", "blog"]);

  await blog.destroy();
  expect(fakes.map(things)).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ]);
  for (const fake of fakes)
    for (const folder of ["etc/pulumi-lvs", "run/pulumi-lvs"]) expect(fake.has(folder)).toBe(false);
});
