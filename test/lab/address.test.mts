import { expect, it } from "vitest";
import { run } from "../support/machines/lab.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const program = (prefixLength: number) => `
new lvs.VirtualAddress("vip", { connection: { host: "director" }, interface: "eth2", address: "10.77.0.1", prefixLength: ${prefixLength} });
`;

const addresses = async () =>
  (await run("director", "ip -o -4 addr show dev eth2")).stdout.match(/10\.77\.0\.\d+\/\d+/g);

onLab("a VIP that came before another program's address of its network", () => {
  const keep = disposing();
  let stack: Stack;

  it("is the primary one, which the kernel would not take away alone", async () => {
    await run(
      "director",
      "sysctl -qw net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.eth2.promote_secondaries=0",
    );
    stack = keep(await Stack.ofProgram(program(24)));
    await stack.up();
    await run("director", "ip addr add 10.77.0.2/24 dev eth2");
    expect(await addresses()).toEqual(["10.77.0.1/24", "10.77.0.2/24"]);
  });

  it("changes its prefix without the other", async () => {
    await stack.program(program(32));
    const { text } = await stack.pulumi("preview", "--diff");
    expect(text).toMatch(/~ prefixLength: 24 => 32/);
    await stack.up();
    expect((await addresses())?.sort()).toEqual(["10.77.0.1/32", "10.77.0.2/24"]);
    await stack.program(program(24));
    await stack.up();
  });

  it("goes without the other, and leaves the host's settings as they were", async () => {
    await stack.destroy();
    expect(await addresses()).toEqual(["10.77.0.2/24"]);
    const { stdout } = await run(
      "director",
      "sysctl -n net.ipv4.conf.all.promote_secondaries net.ipv4.conf.eth2.promote_secondaries",
    );
    expect(stdout).toBe("0\n0\n");
  });
});

const routed = (label: string) => `
const connection = { host: "rs1" };
const vip = new lvs.VirtualAddress("vip", { connection, interface: "lo", address: "192.168.0.210", label: "${label}" });
new lvs.HostRoute("route", { connection, destination: vip.address, device: "lo", source: vip.address });
`;

onLab("a VIP that is new", () => {
  const keep = disposing();

  it("is announced to its neighbours by gratuitous ARP", async () => {
    await run(
      "client",
      "timeout 60 tcpdump -lni eth1 -c 1 arp and host 192.168.0.210 >/tmp/arp 2>/dev/null </dev/null &",
    );
    const vip = '{ connection: { host: "director" }, interface: "eth1", address: "192.168.0.210" }';
    const stack = keep(await Stack.ofProgram(`new lvs.VirtualAddress("vip", ${vip});`));
    await stack.up();
    const heard = async () => (await run("client", "cat /tmp/arp")).stdout;
    await expect
      .poll(heard, patience)
      .toMatch(/ARP, Request who-has 192\.168\.0\.210 .*tell 192\.168\.0\.210/);
    await stack.destroy();
  });
});

onLab("a VIP that routes send from", () => {
  const keep = disposing();
  let stack: Stack;

  it("changes its label, and the routes stay", async () => {
    stack = keep(await Stack.ofProgram(routed("lo:0")));
    await stack.up();
    const before = (await run("rs1", "ip route show table all | grep 192.168.0.210")).stdout;
    expect(before).toContain("192.168.0.210 dev lo scope link src 192.168.0.210");
    await stack.program(routed("lo:1"));
    await stack.up();
    expect((await run("rs1", "ip route show table all | grep 192.168.0.210")).stdout).toBe(before);
    expect((await run("rs1", "ip -o -4 addr show dev lo")).stdout).toMatch(
      /192\.168\.0\.210\/32 scope global lo:1/,
    );
    expect((await run("rs1", "ip -o -4 addr show dev lo")).stdout.match(/192\.168/g)).toHaveLength(1);
    await stack.destroy();
    expect((await run("rs1", "ip -o addr; ip route show table all")).stdout).not.toContain("192.168.0.210");
  });
});

onLab("an IPv6 VIP", () => {
  const keep = disposing();
  const six = (command: string) => run("director", `ip -6 ${command}`, { allowFailure: true });
  let stack: Stack;
  let routes: string;

  it("serves on its host, which never sends from it", async () => {
    await run("director", "ip addr add 2001:db8:77::5/64 dev eth2 nodad");
    stack = keep(
      await Stack.ofProgram(`
const connection = { host: "director" };
const vip = new lvs.VirtualAddress("vip", { connection, interface: "eth2", address: "2001:db8:77::219" });
new lvs.HostRoute("route", { connection, destination: vip.address, device: "eth2" });
`),
    );
    routes = (await six("route show table main dev eth2")).stdout;
    await stack.up();
    const { stdout } = await six("-o addr show dev eth2");
    expect(stdout).toMatch(/2001:db8:77::219\/128 scope global .*deprecated/);
    expect((await six("route get 2001:db8:77::99")).stdout).toMatch(/ src 2001:db8:77::5 /);
    await stack.refresh("--expect-no-changes");
  });

  it("goes with its route, and the kernel's own routes stay until then", async () => {
    expect((await six("route show table main dev eth2")).stdout).toMatch(/2001:db8:77::219 metric 1024/);
    await stack.destroy();
    expect((await six("route show table main dev eth2")).stdout).toBe(routes);
    await run("director", "ip addr del 2001:db8:77::5/64 dev eth2");
  });
});
