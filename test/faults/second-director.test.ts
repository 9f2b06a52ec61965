import { expect, test } from "vitest";
import type { SshHost } from "../support/fake/ssh-host.js";
import { previewIsEmpty, tables, up, updates } from "./harness/real-updates.js";

const { threeHosts, stackOf, keyPath } = updates();

/** Returns a program with one cluster, whose service and real server are always the same. */
function clusterProgram(web: SshHost, args: object): string {
  const all = {
    ...args,
    vips: ["192.168.0.210"],
    services: [{ port: 80, health: { check: { type: "tcp" } } }],
    realServers: [{ name: "web", address: "192.168.10.11", connection: web.connection(keyPath()) }],
  };
  return `new lvs.DrCluster("web", ${JSON.stringify(all)});`;
}

/** Returns the commands that a host got which change its table. Lines of `ipvsadm --restore` are among them, too. */
const tableChanges = ({ fake }: SshHost): string[] =>
  fake.lines("log").filter((line) => /^ipvsadm -[ACDEaed]\b/.test(line));

test("a cluster gets a director that is preferred to its own, or nothing is changed, and goes without a trace", async () => {
  const [one, two, web] = await threeHosts();
  const hosts = [one, two, web];
  const images = () => hosts.map(({ fake }) => fake.snapshot());
  const untouched = images();
  const connection = (host: SshHost) => host.connection(keyPath());
  const program = (args: object) => clusterProgram(web, args);
  const stack = await stackOf(program({ director: { connection: connection(one), interface: "eth0" } }));
  await stack.up();
  const directors = [
    { name: "two", connection: connection(two), interface: "eth0" },
    { name: "one", connection: connection(one) },
  ];
  await stack.program(program({ directors, vrrp: { routerId: 51 } }));
  await stack.destroy("--target", "**::web-vip-**", "--target-dependents");
  const table = tables([one]);

  // A resource that gets back its former name keeps the owner that its record got meanwhile.
  const named = () => images().map((image) => image.replaceAll("/web-tcp-", "/web-one-tcp-"));
  const before = named();
  two.fake.write("faults/keepalived-code", "6\n");
  const failed = await up(stack);
  two.fake.mend();
  expect(failed.code, failed.text).toBe(10);
  expect(named()).toEqual(before);

  await stack.up();
  expect(tables([one])).toEqual(table);
  expect(tables([two])).toEqual(table);
  // The plan shows its resources as replaced, and what it forwards by stays.
  expect(tableChanges(one).filter((line) => /^ipvsadm -[CDd]/.test(line))).toEqual([]);
  const prioritiesOf = hosts
    .slice(0, 2)
    .map(({ fake }) => /priority (\d+)/.exec(fake.read("etc/keepalived/pulumi-lvs.d/eth0-51.conf"))?.[1]);
  expect(prioritiesOf).toEqual(["140", "150"]);
  await previewIsEmpty(stack);

  await stack.destroy();
  expect(images()).toEqual(untouched);
});

test("a director becomes a list of one, and a list of one becomes a director, without a change of its table", async () => {
  const [one, two, web] = await threeHosts();
  await two.down();
  const images = () => [one, web].map(({ fake }) => fake.snapshot());
  const connection = one.connection(keyPath());
  const director = clusterProgram(web, { director: { connection, interface: "eth0" } });
  const stack = await stackOf(director);
  await stack.up();
  const [before, commands] = [images(), tableChanges(one)];
  expect(commands.length).toBeGreaterThan(0);

  const directors = [{ name: "one", connection, interface: "eth0" }];
  await stack.program(clusterProgram(web, { directors, vrrp: { routerId: 51 } }));
  await stack.destroy("--target", "**::web-vip-**", "--target-dependents");
  expect(await stack.up()).not.toMatch(/replac/);
  await previewIsEmpty(stack);

  await stack.program(director);
  await stack.destroy("--target", "**::web-one-vrrp", "--target-dependents");
  expect(await stack.up()).not.toMatch(/replac/);
  await previewIsEmpty(stack);
  expect(tableChanges(one)).toEqual(commands);
  expect(images()).toEqual(before);
});
