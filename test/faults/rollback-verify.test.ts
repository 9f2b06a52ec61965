import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Entry, stateOf, succeed, tables, up, updates, upThatWaits } from "./harness/real-updates.js";

const { threeHosts, stackOf, servicesOn, callsOf, inPlace } = updates();

// An update that went through and is found wrong is rolled back.

test("an update after which the service does not answer is rolled back, because its probe fails", async () => {
  const hosts = await threeHosts();
  const [director, , client] = hosts;
  const program = (weights: (number | undefined)[]) =>
    servicesOn(hosts, {
      weights,
      more: `new lvs.ServiceProbe("serves", {
        connection: connections[2], director: connections[0], url: "http://192.168.0.210/",
        requests: 4, within: 0, spread: { servers: 2 }, triggers: weights,
      }, { dependsOn: site });`,
    });
  client.fake.write("replies", "0 200 41000 rs1\n0 200 41001 rs2\n");
  client.fake.write("way", "192.168.0.210 dev eth0 src 192.168.0.100\n");
  director.fake.write("flows", "");
  const stack = await stackOf(program([1, 1, 1]));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];

  await stack.program(program([0, 0, undefined]));
  client.fake.write("replies", "7 000 0 - Connection refused\n");
  const { code, text } = await up(stack);
  expect(code, text).toBe(10);
  expect(text).toMatch(
    /pulumi-lvs: the update failed; rolling back\npulumi-lvs: {3}ServiceProbe serves: probe\/http:\/\/192\.168\.0\.210\/ failed on 127\.0\.0\.1:\d+: .*the director has no real server for tcp:\/\/192\.168\.0\.210:80 that takes connections/,
  );
  expect(text).not.toContain("planted-secret");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);

  // one that was asked and content is asked again when what came after it is rolled back
  client.fake.write("replies", "0 200 41000 rs1\n0 200 41001 rs2\n");
  const again = await up(stack, "--verify=exit 3");
  expect(again.code, again.text).toBe(10);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);

  // and says so, when the service does not answer then either
  const bad = `echo "7 000 0 - Connection refused" >${join(client.fake.root, "replies")}; exit 3`;
  const worse = await up(stack, `--verify=${bad}`);
  expect(worse.code, worse.text).toBe(11);
  expect(worse.text).toMatch(/ServiceProbe serves.*: .*requests failed/);
  expect(tables(hosts)).toEqual(before);
});

test("what the update took over was another owner's before: it stays on its host, and is named", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  await stack.up();
  hosts[0].fake.write("ipvs", `${hosts[0].fake.read("ipvs")}-A -f 7 -s wlc\n`);
  const more = 'new lvs.VirtualService("theirs", { connection: connections[0], fwmark: 7 });';
  await stack.program(servicesOn(hosts, { weights: [2, 1, 1], more }));
  const { code, text } = await up(stack, "--verify=exit 3");
  expect(code, text).toBe(11);
  expect(text).toMatch(
    /VirtualService theirs was there before the update took it over, and stays on its host/,
  );
  expect(hosts[0].fake.lines("ipvs").filter((line) => /-f 7|-w/.test(line))).toEqual([
    expect.stringContaining("-w 1"),
    "-A -f 7 -s wlc",
  ]);
});

test("an update that a verification finds wrong is rolled back, and one that it finds right stays", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  await succeed(stack, "--verify", "true");
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, 2, undefined], neighbour: "changes" }));
  const { code, text } = await up(stack, "--verify=echo checked; exit 3");
  expect(code, text).toBe(10);
  expect(text).toMatch(/^checked$/m);
  expect(text).toContain(
    "pulumi-lvs: the verification failed: `echo checked; exit 3` ended with 3; rolling back\n",
  );
  expect(tables(hosts)).toEqual(before);
  // what is another package's stays as the update left it, and its provider was not called again
  const neighbour = ({ urn }: Entry) => urn.endsWith("::neighbour");
  expect((await stateOf(stack)).filter((one) => !neighbour(one))).toEqual(
    state.filter((one) => !neighbour(one)),
  );
  expect((await stateOf(stack)).find(neighbour)?.inputs.reported).toBe("changes");
  expect(callsOf(stack)).toEqual(["create", "update"]);
});

test("what another update has changed since is not rolled back", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, 1] }));
  await stack.up();
  await stack.program(servicesOn(hosts, { weights: [2, 2, 2] }));
  const finish = await upThatWaits(stack, inPlace);
  const ours = tables(hosts);
  await stack.program(servicesOn(hosts, { weights: [6, 6, 6] }));
  await stack.up();
  const theirs = tables(hosts);
  const { code, text } = await finish();
  expect(code, text).toBe(11);
  expect(text).toMatch(/ {3}stack program: another update has changed the stack since/);
  expect(tables(hosts)).toEqual(theirs);
  expect(theirs).not.toEqual(ours);
  // the last update is theirs, and the history tells what was before it
  const back = await stack.pulumiLvs(["rollback"]);
  expect(back.code, back.text).toBe(0);
  expect(tables(hosts)).toEqual(ours);
});

test("a rollback that fails on a service leaves all that needs it, and a second one restores the service", async () => {
  const hosts = await threeHosts();
  const program = (scheduler: string) =>
    servicesOn(hosts, {
      weights: [1, 1, 1],
      more: `
const at = { connection: connections[0] };
const other = new lvs.VirtualService("other", { ...at, address: "192.168.0.211", port: 80, scheduler: "${scheduler}" });
const server = { ...at, service: other.id, port: 80 };
new lvs.RealServer("behind", { ...server, address: "192.168.10.12" });
new lvs.RealServer("child", { ...server, address: "192.168.10.13" }, { parent: other });`,
    });
  const stack = await stackOf(program("wlc"));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(program("wrr"));
  const finish = await upThatWaits(stack, inPlace);
  const updated = tables(hosts);
  hosts[0].fake.fillRun("step", 0);
  const { code, text } = await finish();
  expect(code, text).toBe(11);
  const [, named = ""] = text.split("could not roll back:\n");
  expect(named.match(/^pulumi-lvs: {3}.*/gm)).toEqual([
    expect.stringMatching(/VirtualService other on .*: cannot update /),
  ]);
  expect(tables(hosts)).toEqual(updated);
  hosts[0].fake.mend();
  const again = await stack.pulumiLvs(["rollback"]);
  expect(again.code, again.text).toBe(0);
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("what another package's resource needs by now stays and is named, and goes when that has gone", async () => {
  const hosts = await threeHosts();
  const old = servicesOn(hosts, { weights: [1, 1, undefined] });
  const stack = await stackOf(old);
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(
    servicesOn(hosts, {
      weights: [2, 2, 3],
      more: `
const fresh = new lvs.VirtualService("fresh", { connection: connections[0], address: "192.168.0.211", port: 80 });
new Neighbour("record", { told: fresh.id, calls });`,
    }),
  );
  const { code, text } = await up(stack, "--verify", "exit 1");
  expect(code, text).toBe(11);
  expect(text).toMatch(
    /VirtualService fresh on .*: Resource record needs it, .*pulumi destroy --target '.*::fresh' --target-dependents\n/,
  );
  expect(text).toMatch(/delete RealServer rs2\n/);
  expect(tables(hosts).slice(1)).toEqual(before.slice(1));

  const [, target = ""] = /--target '(.*)'/.exec(text) ?? [];
  await stack.destroy("--target", target, "--target-dependents");
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});

test("names, protection and retention of the update do not stand in the way", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, undefined] }));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  const server = (i: number, name: string, options: string) =>
    `new lvs.RealServer("${name}", { connection: connections[${i}], service: "tcp://192.168.0.210:80", address: "192.168.10.1${i}", port: 80, weight: 3, adopt: true }, { ${options} });`;
  const service = (i: number) =>
    `new lvs.VirtualService("web${i}", { connection: connections[${i}], address: "192.168.0.210", port: 80 }, { parent: site, dependsOn: neighbour });`;
  await stack.program(
    servicesOn(hosts, {
      weights: [],
      more: `
${service(0)} ${service(1)} ${service(2)}
new lvs.RealServer("renamed", { connection: connections[0], service: "tcp://192.168.0.210:80", address: "192.168.10.11", port: 80, weight: 7, adopt: true });
${server(1, "held", "protect: true, parent: site")}
${server(2, "kept", "protect: true, retainOnDelete: true, parent: site")}
`,
    }),
  );
  const { code, text } = await up(stack, "--verify", "exit 1");
  expect(code, text).toBe(10);
  expect(tables(hosts)).toEqual(before);
  // a resource keeps the owner that it was made with, so one that was renamed back has the other name's
  const unowned = (entries: Entry[]) =>
    entries.map(({ outputs: { owner, ...outputs } = {}, ...rest }) => ({ ...rest, outputs }));
  expect(unowned(await stateOf(stack))).toEqual(unowned(state));
});

test("programs of the Automation API have the same", async () => {
  const hosts = await threeHosts();
  const stack = await stackOf(servicesOn(hosts, { weights: [1, 1, undefined] }));
  await stack.up();
  const [before, state] = [tables(hosts), await stateOf(stack)];
  await stack.program(servicesOn(hosts, { weights: [2, undefined, 3] }));
  writeFileSync(
    join(stack.folder, "deploy.js"),
    `const { automation } = require("@pulumi/pulumi");
    const lvs = require("pulumi-lvs");
    (async () => {
      const stack = await automation.LocalWorkspace.selectStack({ stackName: "program", workDir: __dirname });
      const verify = () => { throw new Error("no answer"); };
      const { result, why, notRestored } = await lvs.upOrRollBack(stack, { verify, onProgress: console.log });
      console.log(JSON.stringify({ result, why, notRestored }));
    })();`,
  );
  const { text } = await stack.run(process.execPath, ["deploy.js"]);
  expect(text).toBe(
    `the verification failed: no answer; rolling back\n{"result":"rolled back","why":"the verification failed: no answer","notRestored":[]}\n`,
  );
  expect(tables(hosts)).toEqual(before);
  expect(await stateOf(stack)).toEqual(state);
});
