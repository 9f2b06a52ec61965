import { readFileSync } from "node:fs";

/** The weights of a table: all of them, and that of the first server. */
export interface Weights {
  readonly all: number;
  readonly first: number;
}

const address = (i: number): string => `10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

const vip = "192.168.0.210";

const loop = (count: number, { all, first }: Weights, body: string): string => `
const address = (i) => ["10", 20 + (i >> 16), (i >> 8) & 255, i & 255].join(".");
for (let i = 1; i <= ${count}; i++) {
  const weight = i === 1 ? ${first} : ${all};
  ${body}
}`;

/** The package: one RealServer for each server. */
export const ours = (count: number, weights: Weights): string => `
const connection = { host: "director" };
const service = new lvs.VirtualService("web", { connection, address: "${vip}", port: 80 }).id;
${loop(count, weights, `new lvs.RealServer("rs" + i, { connection, service, address: address(i), port: 80, forwarding: "masquerading", weight });`)}`;

/** The engine alone: as many resources of a provider that does nothing. */
export const floor = (count: number, weights: Weights): string => `
const provider = {
  async create(outs) { return { id: outs.name, outs }; },
  async update(_id, _olds, outs) { return { outs }; },
};
const service = new pulumi.dynamic.Resource(provider, "web", { name: "web", address: "${vip}", port: 80 }).id;
${loop(count, weights, `new pulumi.dynamic.Resource(provider, "rs" + i, { name: "rs" + i, service, address: address(i), port: 80, weight });`)}`;

/** `remote.Command`, one for each server. `sshConfig` is that of the lab. */
export const commands = (count: number, weights: Weights, sshConfig: string): string => {
  const block = /^Host director$([\s\S]*?)(?=^Host |$(?![\s\S]))/m.exec(readFileSync(sshConfig, "utf8"))?.[1];
  const field = (name: string) =>
    new RegExp(`^ *${name} "?([^"\n]*)"?$`, "m").exec(block ?? "")?.[1] as string;
  return `
const { remote } = require("@pulumi/command");
const connection = { host: "${field("HostName")}", port: ${field("Port")}, user: "root", privateKey: require("node:fs").readFileSync(${JSON.stringify(field("IdentityFile"))}, "utf8") };
const first = new remote.Command("web", { connection, create: "ipvsadm -A -t ${vip}:80 -s wlc", delete: "ipvsadm -D -t ${vip}:80" });
${loop(
  count,
  weights,
  `new remote.Command("rs" + i, {
    connection,
    create: "ipvsadm -a -t ${vip}:80 -r " + address(i) + ":80 -m -w " + weight,
    update: "ipvsadm -e -t ${vip}:80 -r " + address(i) + ":80 -m -w " + weight,
    delete: "ipvsadm -d -t ${vip}:80 -r " + address(i) + ":80",
  }, { dependsOn: first });`,
)}`;
};

/** Lines of `ipvsadm -R` that make the table. */
export const rules = (count: number, { all, first }: Weights): string =>
  [
    `-A -t ${vip}:80 -s wlc`,
    ...Array.from(
      { length: count },
      (_, i) => `-a -t ${vip}:80 -r ${address(i + 1)}:80 -m -w ${i === 0 ? first : all}`,
    ),
  ].join("\n");

/** A playbook that sends one command for each server, or all of them at once. */
export const playbook = (count: number, weights: Weights, way: "loop" | "template"): string => {
  const [service = "", ...servers] = rules(count, weights).split("\n");
  const tasks =
    way === "template"
      ? [
          {
            shell: { cmd: "ipvsadm -R", executable: "/bin/sh" },
            args: { stdin: rules(count, weights) },
          },
        ]
      : [{ raw: `ipvsadm ${service}` }, { raw: "ipvsadm {{ item }}", loop: servers }];
  return JSON.stringify([{ hosts: "director", gather_facts: false, tasks }]);
};
