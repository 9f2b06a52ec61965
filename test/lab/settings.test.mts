import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { differences, type States, statesOf } from "./host-state.mts";
import { disposing, onLab } from "./setup.mts";
import { Stack } from "./stack.mts";

const program = (name: string, ttl: string) => `
const connection = { host: "director" };
new lvs.Sysctl("${name}", { connection, name: "net.ipv4.ip_default_ttl", value: "${ttl}" });
new lvs.Sysctl("buffers", { connection, name: "net.ipv4.tcp_rmem", value: "4096 131072 6291456" });
new lvs.IpForwarding("forwarding", { connection });
const web = new lvs.VirtualService("${name}-web", { connection, address: "192.168.0.210", port: 80, scheduler: "rr" });
`;

const sysctl = async (...names: string[]) =>
  (await run("director", `sysctl -n ${names.join(" ")}`)).stdout.replaceAll("\t", " ").trim().split("\n");

onLab("settings of a host", () => {
  const keep = disposing();
  let stack: Stack;
  let clean: States;

  it("are set, whatever the length of their values", async () => {
    // forwarding of one interface alone, which turning all on and off would take away
    await run("director", "sysctl -qw net.ipv4.conf.lo.forwarding=1; modprobe ip_vs_rr");
    clean = await statesOf(["director"]);
    stack = keep(await Stack.ofProgram(program("ttl", "128")));
    await stack.up();
    expect(await sysctl("net.ipv4.ip_default_ttl", "net.ipv4.tcp_rmem")).toEqual([
      "128",
      "4096 131072 6291456",
    ]);
    const { code } = await stack.pulumi("refresh", "--preview-only", "--expect-no-changes");
    expect(code).toBe(0);
  });

  it("changed by hand are shown and mended", async () => {
    await run("director", "sysctl -qw net.ipv4.ip_default_ttl=77");
    const { text } = await stack.pulumi("refresh", "--preview-only", "--diff");
    expect(text).toMatch(/~ value: "128" => "77"/);
    await stack.up("--refresh");
    expect(await sysctl("net.ipv4.ip_default_ttl")).toEqual(["128"]);
  });

  it("and entries stay when their resources are renamed", async () => {
    await stack.program(program("hops", "128"));
    const text = await stack.up();
    expect(text).toMatch(/2 created[\s\S]*2 deleted/);
    expect(await sysctl("net.ipv4.ip_default_ttl")).toEqual(["128"]);
    expect((await run("director", "ipvsadm -Sn")).stdout).toBe("-A -t 192.168.0.210:80 -s rr\n");
  });

  it("are as they were found after destroy, with all that the kernel changed along", async () => {
    await stack.destroy();
    expect(differences(clean, await statesOf(["director"]))).toEqual([]);
    expect(await sysctl("net.ipv4.conf.lo.forwarding", "net.ipv4.ip_default_ttl")).toEqual(["1", "64"]);
  });
});
