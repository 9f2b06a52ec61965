import { readFileSync } from "node:fs";

/** The weights of a table: all of them, and that of the first server. */
export interface Weights {
  readonly all: number;
  readonly first: number;
}

/** A table: so many services, each with so many servers. */
export interface Shape {
  readonly services: number;
  readonly servers: number;
}

/** Text of programs and of this file: a server's address by its number, which begins at 1. */
const addressSource = '["10", 20 + (i >> 16), (i >> 8) & 255, i & 255].join(".")';
const address = (i: number): string => `10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

const vip = "192.168.0.210";

/** Ports of the services begin here. */
const port = 80;

const loop = ({ services, servers }: Shape, { all, first }: Weights, service: string, server: string) => `
const address = (i) => ${addressSource};
for (let s = 0; s < ${services}; s++) {
  ${service}
  for (let n = 1; n <= ${servers}; n++) {
    const i = s * ${servers} + n;
    const weight = i === 1 ? ${first} : ${all};
    ${server}
  }
}`;

/** The package: one RealServer for each server. */
export const ours = (shape: Shape, weights: Weights): string => `
const connection = { host: "director" };
${loop(
  shape,
  weights,
  `const service = new lvs.VirtualService("web" + s, { connection, address: "${vip}", port: ${port} + s }).id;`,
  `new lvs.RealServer("rs" + i, { connection, service, address: address(i), port: 80, forwarding: "masquerading", weight });`,
)}`;

/** The package: services that own their real servers. */
export const pools = ({ services, servers }: Shape, { all, first }: Weights): string => `
const connection = { host: "director" };
const address = (i) => ${addressSource};
for (let s = 0; s < ${services}; s++) {
  const numbers = Array.from({ length: ${servers} }, (_, n) => s * ${servers} + n + 1);
  const realServers = Object.fromEntries(
    numbers.map((i) => [address(i) + ":80", { forwarding: "masquerading", weight: i === 1 ? ${first} : ${all} }]),
  );
  new lvs.VirtualService("web" + s, { connection, address: "${vip}", port: ${port} + s, realServers });
}`;

const noop = `
const provider = {
  async create(outs) { return { id: outs.name, outs }; },
  async update(_id, _olds, outs) { return { outs }; },
};`;

/** The engine alone: as many resources of a provider that does nothing. */
export const floor = (shape: Shape, weights: Weights): string => `${noop}
${loop(
  shape,
  weights,
  `const service = new pulumi.dynamic.Resource(provider, "web" + s, { name: "web" + s, address: "${vip}", port: ${port} + s }).id;`,
  `new pulumi.dynamic.Resource(provider, "rs" + i, { name: "rs" + i, service, address: address(i), port: 80, weight });`,
)}`;

/** The engine alone, with a resource for each service. */
export const poolFloor = ({ services }: Shape, { all, first }: Weights): string => `${noop}
for (let s = 0; s < ${services}; s++)
  new pulumi.dynamic.Resource(provider, "web" + s, { name: "web" + s, address: "${vip}", port: ${port} + s, weight: s === 0 ? ${first} : ${all} });`;

/** `remote.Command`, one for each server. `sshConfig` is that of the lab. */
export const commands = (shape: Shape, weights: Weights, sshConfig: string): string => {
  const block = /^Host director$([\s\S]*?)(?=^Host |$(?![\s\S]))/m.exec(readFileSync(sshConfig, "utf8"))?.[1];
  const field = (name: string) =>
    new RegExp(`^ *${name} "?([^"\n]*)"?$`, "m").exec(block ?? "")?.[1] as string;
  return `
const { remote } = require("@pulumi/command");
const connection = { host: "${field("HostName")}", port: ${field("Port")}, user: "root", privateKey: require("node:fs").readFileSync(${JSON.stringify(field("IdentityFile"))}, "utf8") };
${loop(
  shape,
  weights,
  `const service = "-t ${vip}:" + (${port} + s);
  const dependsOn = new remote.Command("web" + s, { connection, create: "ipvsadm -A " + service + " -s wlc", delete: "ipvsadm -D " + service });`,
  `const entry = service + " -r " + address(i) + ":80";
    new remote.Command("rs" + i, {
      connection,
      create: "ipvsadm -a " + entry + " -m -w " + weight,
      update: "ipvsadm -e " + entry + " -m -w " + weight,
      delete: "ipvsadm -d " + entry,
    }, { dependsOn });`,
)}`;
};

/** Lines of `ipvsadm -R` that make the table. */
export const rules = ({ services, servers }: Shape, { all, first }: Weights): string[] =>
  Array.from({ length: services }, (_, s) => [
    `-A -t ${vip}:${port + s} -s wlc`,
    ...Array.from({ length: servers }, (_, n) => s * servers + n + 1).map(
      (i) => `-a -t ${vip}:${port + s} -r ${address(i)}:80 -m -w ${i === 1 ? first : all}`,
    ),
  ]).flat();

/** Lines of `ipvsadm -R` that change the weights of a table that is there. */
export const edits = (shape: Shape, weights: Weights): string[] =>
  rules(shape, weights).flatMap((line) => (line.startsWith("-a ") ? line.replace("-a", "-e") : []));

/** The script that hands lines to `ipvsadm -R`. */
export const restoring = (lines: readonly string[]): string =>
  `ipvsadm -R <<'RULES'\n${lines.join("\n")}\nRULES`;

/**
 * A playbook that sends one command for each line, or all of them at once as a template would. It uses `raw`, because
 * the lab's Python has no modules. That is also the fastest way.
 */
export const playbook = (lines: readonly string[], way: "loop" | "template"): string => {
  const task = way === "template" ? { raw: restoring(lines) } : { raw: "ipvsadm {{ item }}", loop: lines };
  return JSON.stringify([{ hosts: "director", gather_facts: false, tasks: [task] }]);
};
