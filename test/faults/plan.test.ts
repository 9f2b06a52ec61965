import { expect, test } from "vitest";
import { dynamicClass } from "./harness/dynamic-class.js";
import { quiet, updates } from "./harness/real-updates.js";

const { threeHosts, stackOf, keyPath } = updates();

// `npx pulumi-lvs plan` by the real Pulumi CLI.

interface Plan {
  readonly summary: string;
  readonly changes: readonly {
    readonly host: string;
    readonly op: string;
    readonly resource: string;
    readonly lines: readonly { readonly text: string; readonly isRecord: boolean }[];
    readonly unknown?: readonly string[];
    readonly drains?: number;
  }[];
}

/** Commands of a plan, as the tools of hosts note them. */
const commandsOf = ({ changes }: Plan): string[] =>
  changes.flatMap(({ lines }) =>
    lines.map(({ text }) => text).filter((text) => /^(ipvsadm|ip|arping) /.test(text)),
  );

test("it has the lines that up runs, with no host and no key, and prints no secret", async () => {
  const [host] = await threeHosts();
  const connection = { ...host.connection(keyPath()), password: "planted-secret" };
  // a chain, because resources that do not depend on each other come in any order
  const program = (path: string, port: number, weight: number, more = "") => `
const connection = ${JSON.stringify({ ...connection, privateKeyPath: path })};
const web = new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80 });
const rs = new lvs.RealServer("rs", { connection, service: web.id, address: "192.168.10.11", port: 80, weight: ${weight} }, { deletedWith: web });
const secret = new lvs.Sysctl("secret", { connection, name: "net.ipv4.vs.expire_nodest_conn", value: pulumi.secret("1") }, { dependsOn: rs });
const mail = new lvs.VirtualService("mail", { connection, address: "192.168.0.210", port: ${port} }, { dependsOn: secret });
const mailServer = new lvs.RealServer("mail-rs", { connection, service: mail.id, address: "192.168.10.11", port: ${port}, drain: { timeout: 7, minimum: 0 } }, { dependsOn: mail });
${more}`;
  const stack = await stackOf("");
  const ran = () => host.fake.changes().filter((line) => !/^arping -q -A|^modprobe/.test(line));
  /** Plans while the host is down and the key is elsewhere, then runs `up`. */
  const compare = async (path: (key: string) => string): Promise<Plan> => {
    await host.down();
    await stack.program(path("/nowhere/key"));
    const planned = await stack.pulumiLvs(["plan", "--json"]);
    expect(planned.code, planned.text).toBe(0);
    expect(planned.text).not.toContain("planted-secret");
    const plan = JSON.parse(planned.text) as Plan;
    await host.up();
    await stack.program(path(keyPath()));
    const before = ran().length;
    await stack.up("--parallel", "1");
    expect(commandsOf(plan)).toEqual(ran().slice(before));
    return plan;
  };

  const first = await compare((key) => program(key, 25, 1));
  expect(first.summary).toBe(`${host.label}: 5 lines`);
  expect(JSON.stringify(first)).toContain("writing [secret] to /proc/sys/net/ipv4/vs/expire_nodest_conn");

  const vip =
    'new lvs.VirtualAddress("vip", { connection, interface: "eth0", address: "192.168.0.210" }, { dependsOn: mailServer });';
  // another port replaces the service and its server
  const second = await compare((key) => program(key, 587, 3, vip));
  expect(second.changes.filter(({ drains }) => drains)).toMatchObject([
    { op: "delete", resource: "RealServer mail-rs", drains: 7 },
  ]);

  const text = await stack.pulumiLvsOfSelected("plan");
  expect(text).toEqual({ code: 0, text: "no host changes\n" });

  await stack.program(`
const connection = ${JSON.stringify(connection)};
${dynamicClass("Later", '{ async create() { return { id: "later", outs: { weight: 5 } }; } }')}
new lvs.VirtualService("web", { connection, address: "192.168.0.210", port: 80 });
new lvs.RealServer("rs", { connection, service: "tcp://192.168.0.210:80", address: "192.168.10.11", port: 80, weight: new Later("later", { weight: undefined }).weight });`);
  const unknown = JSON.parse((await stack.pulumiLvs(["plan", "--json"])).text) as Plan;
  expect(unknown.changes.find(({ resource }) => resource === "RealServer rs")).toMatchObject({
    unknown: ["weight"],
    lines: [],
  });
  const markdown = await stack.pulumiLvs(["plan", "--markdown"]);
  expect(markdown.text).toMatch(/^\*\*127\.0\.0\.1:\d+: \d+ lines?; .*not known yet\*\*\n\n<details>\n/);

  await stack.program("const =");
  const broken = await stack.pulumiLvs(["plan"]);
  expect(broken.code).not.toBe(0);
  expect(broken.text).toMatch(/^pulumi-lvs: cannot preview the update: [\s\S]*SyntaxError/);
  expect((await stack.pulumi("destroy", ...quiet)).code).toBe(0);
});
