import { expect, it } from "vitest";
import { reboot, run } from "../support/machines/lab.mts";
import { keepingConfiguration, restored } from "./restored.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const head = 'const connection = { host: "director" };';
const service = (name: string, address: string) =>
  `const ${name} = new lvs.VirtualService("${name}", { connection, address: "${address}", port: 80 });`;
const server = (name: string, of: string, address: string, options: string) =>
  `new lvs.RealServer("${name}", { connection, service: ${of}.id, address: "${address}", port: 80 }, { ${options} });`;
const vip = (name: string, of: string, address: string) =>
  `new lvs.VirtualAddress("${name}", { connection, interface: "eth1", address: "${address}" }, { dependsOn: ${of} });`;

const kept = [service("kept", "192.168.0.231"), vip("kept-vip", "kept", "192.168.0.231")];
const program = (...parts: readonly string[]) => [head, ...kept, ...parts].join("\n");

const shown = async (command: string) => (await run("director", command)).stdout;
const table = () => shown("[ ! -e /proc/net/ip_vs ] || ipvsadm -Sn");
const addresses = () => shown("ip -o -4 addr show dev eth1");
const records = () => shown("cut -f3 /etc/pulumi-lvs/boot");

/** The director boots, and then what sets up its network starts anew. */
async function again(): Promise<void> {
  await reboot("director");
  await restored("director");
  await run("director", keepingConfiguration("director", "no", "systemctl restart systemd-networkd"));
  await restored("director");
  // what is declared is there, however others left
  await expect.poll(addresses, patience).toContain("192.168.0.231");
  expect(await table()).toContain("-A -t 192.168.0.231:80");
}

onLab("resources that leave a stack", () => {
  const keep = disposing();
  let stack: Stack;

  it("are there at first, each with its record", async () => {
    stack = keep(
      await Stack.ofProgram(
        program(
          service("gone", "192.168.0.232"),
          server("gone-rs", "gone", "192.168.0.221", "deletedWith: gone"),
          vip("gone-vip", "gone", "192.168.0.232"),
          service("half", "192.168.0.233"),
          server("half-rs", "half", "192.168.0.222", "retainOnDelete: true"),
          vip("half-vip", "half", "192.168.0.233"),
        ),
      ),
    );
    await stack.up();
    await restored("director");
    expect((await records()).split("\n").filter(Boolean)).toHaveLength(8);
  });

  it("do not come back where Pulumi deleted only what they stand behind (deletedWith), and delay nothing", async () => {
    await stack.program(
      program(
        service("half", "192.168.0.233"),
        server("half-rs", "half", "192.168.0.222", "retainOnDelete: true"),
        vip("half-vip", "half", "192.168.0.233"),
      ),
    );
    await stack.up();
    expect(await records()).not.toContain("192.168.0.232");
    await again();
    expect(await table()).not.toContain("192.168.0.232");
    expect(await addresses()).not.toContain("192.168.0.232");
    expect(await table()).toContain("-a -t 192.168.0.233:80 -r 192.168.0.222:80");
  }, 900_000);

  it("do not come back where they were deleted by hand, refreshed, and taken out of the program", async () => {
    await run("director", "ip addr del 192.168.0.233/32 dev eth1");
    await stack.refresh();
    await stack.program(
      program(
        service("half", "192.168.0.233"),
        server("half-rs", "half", "192.168.0.222", "retainOnDelete: true"),
      ),
    );
    await stack.up();
    await again();
    expect(await addresses()).not.toContain("192.168.0.233");
  }, 900_000);

  it("come back where they are retained, until what they stand behind is deleted", async () => {
    await stack.program(program(service("half", "192.168.0.233")));
    await stack.up();
    await again();
    expect(await table()).toContain("-a -t 192.168.0.233:80 -r 192.168.0.222:80");
    await stack.program(program());
    await stack.up();
    await again();
    expect(await table()).not.toContain("192.168.0.233");
    expect((await records()).split("\n").filter(Boolean)).toHaveLength(2);
  }, 900_000);

  it("are listed by pulumi-lvs forget where state forgot them and they are gone, and taken away", async () => {
    const state = (await stack.resources()).find(({ urn }) => urn.endsWith("::kept-vip"));
    expect((await stack.pulumi("state", "delete", String(state?.urn), "--yes")).code).toBe(0);
    // for 15 s after the network's start the restore brings back what networkd takes away
    await expect.poll(() => shown("pgrep -f '[/]etc/pulumi-lvs/restore' || :"), patience).toBe("");
    await run("director", "ip addr del 192.168.0.231/32 dev eth1");
    const listed = await stack.pulumiLvsOfSelected("forget", "director");
    expect(listed.text).toMatch(
      /^VirtualAddress eth1\/192\.168\.0\.231 of .*: a record, and nothing is there$/m,
    );
    expect(listed.code).toBe(3);
    expect((await stack.pulumiLvsOfSelected("forget", "director", "--yes")).code).toBe(0);
    await stack.destroy();
    expect(await shown("ls -d /etc/pulumi-lvs /run/pulumi-lvs 2>/dev/null; :")).toBe("");
  });
});

onLab("resources that stay, under another name, elsewhere or in another stack", () => {
  const keep = disposing();
  let stack: Stack;
  const named = (name: string, address: string, options = "") =>
    `new lvs.VirtualService("${name}", { connection, address: "${address}", port: 80 }, { ${options} });`;
  const services = async () => (await table()).match(/(?<=-A -t )[\d.]+/g)?.sort();
  const cli = async (...args: string[]) => {
    const { code, text } = await stack.run("pulumi", [...args, "--non-interactive", "--color", "never"]);
    expect(code, text).toBe(0);
  };

  it("come back once, as what they are now: renamed with an alias, renamed without, replaced", async () => {
    stack = keep(
      await Stack.ofProgram(
        program(
          named("old", "192.168.0.234"),
          named("plain", "192.168.0.235"),
          vip("vip", "kept", "192.168.0.236"),
        ),
      ),
    );
    await stack.up();
    await stack.program(
      program(
        named("new", "192.168.0.234", 'aliases: [{ name: "old" }]'),
        named("another", "192.168.0.235"),
        vip("vip", "kept", "192.168.0.237"),
      ),
    );
    await stack.up();
    await again();
    expect(await services()).toEqual(["192.168.0.231", "192.168.0.234", "192.168.0.235"]);
    expect(await addresses()).toContain("192.168.0.237");
    expect(await addresses()).not.toContain("192.168.0.236");
    expect((await records()).split("\n").filter(Boolean)).toHaveLength(5);
    expect(await stack.preview("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
  }, 900_000);

  it("go with what they stand behind where state had forgotten them (pulumi state delete)", async () => {
    const still = [
      named("new", "192.168.0.234"),
      named("another", "192.168.0.235"),
      vip("vip", "kept", "192.168.0.237"),
    ];
    await stack.program(
      program(...still, service("lost", "192.168.0.238"), server("lost-rs", "lost", "192.168.0.221", "")),
    );
    await stack.up();
    const urn = (await stack.resources()).find((one) => one.urn.endsWith("::lost-rs"))?.urn;
    await cli("state", "delete", String(urn), "--yes");
    await again();
    expect(await table()).toContain("-a -t 192.168.0.238:80 -r 192.168.0.221:80");
    await stack.program(program(...still));
    await stack.up();
    await again();
    expect(await table()).not.toContain("192.168.0.238");
    expect(await records()).not.toContain("192.168.0.238");
  }, 900_000);

  it("come back where pulumi state move gave them to another stack, and go with that stack", async () => {
    const urn = (await stack.resources()).find((one) => one.urn.endsWith("::another"))?.urn;
    await cli("stack", "init", "other");
    await cli("state", "move", "--source", "program", "--dest", "other", "--yes", String(urn));
    await stack.program(program(named("new", "192.168.0.234"), vip("vip", "kept", "192.168.0.237")));
    await stack.up();
    await stack.program(head + named("another", "192.168.0.235"));
    await cli("up", "--yes", "--skip-preview", "--stack", "other");
    await again();
    expect(await services()).toEqual(["192.168.0.231", "192.168.0.234", "192.168.0.235"]);
    await cli("destroy", "--yes", "--skip-preview", "--stack", "other");
    await again();
    expect(await services()).toEqual(["192.168.0.231", "192.168.0.234"]);
    await stack.destroy();
    expect(await shown("ls -d /etc/pulumi-lvs /run/pulumi-lvs 2>/dev/null; :")).toBe("");
  }, 900_000);
});
