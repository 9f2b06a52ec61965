import { beforeAll, expect, it } from "vitest";
import { type HostName, run } from "../support/machines/lab.mts";
import { type States, statesOf } from "./host-state.mts";
import { keepingConfiguration, lost, restored, served } from "./restored.mts";
import { disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const hosts = ["director", "rs1", "rs2"] as const;
const url = "http://192.168.0.210/";

/** Has networkd do something as most systems have it: it takes away what it does not know. Tells what it took. */
const withNetworkd = async (
  host: HostName,
  command: string,
  keep: "no" | "static" = "no",
): Promise<string> => {
  const { stdout } = await run(
    host,
    `${keepingConfiguration(
      host,
      keep,
      `timeout 120 ip monitor address route >/tmp/seen & monitor=$!; sleep 1
${command}
# what is taken is taken soon, and what is left has twenty seconds to go
n=0; until grep -E '^Deleted .*192\\.168\\.0\\.2(10|19)/' /tmp/seen >&2 || [ $n -ge 20 ]; do n=$((n + 1)); sleep 1; done
sleep 2; kill $monitor; wait`,
    )}
grep ^Deleted /tmp/seen; rm /tmp/seen`,
    { timeoutSeconds: 600, allowFailure: true },
  );
  return stdout;
};

const tookVip = /^Deleted .*192\.168\.0\.2(10|19)\//m;

onLab("after a restart of the network, or of what brings records back, an LVS/DR cluster", () => {
  const keep = disposing();
  let before: States;

  beforeAll(async () => {
    const stack = keep(await Stack.ofEnvironment("lab-dr"));
    await stack.up();
    // from the first `up` on it hears of what becomes of the network
    await Promise.all(hosts.map(restored));
    before = await statesOf(hosts);
  });

  const allBack = () =>
    expect
      .poll(
        async () =>
          lost(before, await statesOf(hosts, ["addresses", "routes"])).filter((line) =>
            / (addresses|routes): /.test(line),
          ),
        patience,
      )
      .toEqual([]);

  it.each([
    ["started anew", "systemctl restart systemd-networkd"],
    [
      "stopped and started",
      "systemctl stop systemd-networkd.socket systemd-networkd; systemctl start systemd-networkd",
    ],
  ])(
    "has its addresses and routes back where systemd-networkd, %s, takes them away",
    async (_, command) => {
      const seen = await Promise.all(hosts.map((host) => withNetworkd(host, command)));
      expect(seen.join("\n")).toMatch(tookVip);
      await allBack();
      await served(url);
    },
    900_000,
  );

  it("is told to bring them back where systemd-networkd takes them away while it runs, unless it is told to leave them", async () => {
    const reconfigure = "networkctl reload; networkctl reconfigure eth1";
    expect(await withNetworkd("director", reconfigure, "static")).not.toMatch(tookVip);
    await served(url);
    expect(await withNetworkd("director", reconfigure)).toMatch(tookVip);
    await run("director", "systemctl restart pulumi-lvs");
    await allBack();
    await served(url);
  }, 900_000);

  // as at boot, where nothing was brought back yet
  const anew = (host: HostName, record: string, device = "eth1") =>
    run(
      host,
      `printf '%s\\n' '${record}' >>/etc/pulumi-lvs/boot
  flock /run/pulumi-lvs.lock sh -c 'rm -f /run/pulumi-lvs/restored /run/pulumi-lvs/restored.end; ip addr del 192.168.0.210/32 dev ${device}'
  ! systemctl restart pulumi-lvs && systemctl is-failed pulumi-lvs`,
      { timeoutSeconds: 600 },
    );
  const told = async (host: HostName) =>
    (await run(host, "journalctl -u pulumi-lvs -o cat --since -10min")).stdout;
  const vipOf = async (host: HostName) =>
    (await run(host, "ip -o addr show | grep -F ' 192.168.0.210/'; :")).stdout;

  it("gives a real server no VIP while it is not silent about it, and tries on until it is", async () => {
    const late =
      "20\tsetting\tSysctl late\tlvs/lab/late sysctl/late\tsysctl\tnet.ipv4.conf.late0.arp_ignore\t1";
    await anew("rs1", late, "lo");
    expect(await vipOf("rs1")).toBe("");
    expect(await told("rs1")).toMatch(/cannot restore Sysctl late: .*no such setting/);
    await run("rs1", "ip link add late0 type dummy");
    await restored("rs1");
    await run(
      "rs1",
      "ip link del late0; sed -i '/Sysctl late/d' /etc/pulumi-lvs/boot; rm -r /run/pulumi-lvs/sysctl.*late0*",
    );
    await allBack();
    await served(url);
  }, 900_000);

  it("has its VIP in spite of a server that cannot come back, and says so", async () => {
    const gone =
      "60\tobject\tRealServer tcp://192.168.0.210:80/192.168.0.99:80\tlvs/lab/gone\tserver\t-t\t192.168.0.210:80\t-r\t192.168.0.99:80\t-g\t-w\t70000000000";
    await anew("director", gone);
    expect(await vipOf("director")).not.toBe("");
    expect(await told("director")).toMatch(
      /cannot restore RealServer tcp:\/\/192\.168\.0\.210:80\/192\.168\.0\.99:80: /,
    );
    await run("director", "sed -i '/192.168.0.99/d' /etc/pulumi-lvs/boot");
    await run("director", "systemctl restart pulumi-lvs");
    await allBack();
    await served(url);
  }, 900_000);
});
