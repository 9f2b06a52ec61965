import { expect, it } from "vitest";
import { type HostName, reboot, run } from "../lab/lab.mts";
import { differences, type States, stateOf, statesOf } from "./host-state.mts";
import { arpAnswers, ask, disposing, onLab, patience } from "./setup.mts";
import { Stack } from "./stack.mts";

const hosts = ["director", "rs1", "rs2"] as const;

/** Seconds from when the VIP stopped answering until it answers again, as the client sees it. */
async function outage(url: string): Promise<number> {
  const script = `now() { cut -d. -f1 /proc/uptime; }
n=0; while curl -sf -m 1 ${url} >/dev/null; do n=$((n + 1)); [ $n -lt 1500 ] || exit 1; sleep 0.2; done
from=$(now); until curl -sf -m 1 ${url} >/dev/null; do [ $(($(now) - from)) -lt 600 ] || exit 1; sleep 0.2; done
echo $(($(now) - from))`;
  const { stdout } = await run("client", script, { timeoutSeconds: 600 });
  return Number(stdout.trim());
}

/** What must be there again; which modules happened to be loaded besides is the kernel's business. */
const parts = /^\S+ (ipvs|addresses|routes|files|sysctls): /;
// what a boot sets anew in each interface, or counts
const ofTheBoot =
  /net\.(ipv4|ipv6)\.neigh\.|kernel\.(random|pty|sched|perf)|fs\.|net\.netfilter|net\.ipv4\.tcp_mem|net\.ipv4\.udp_mem|vm\./;

const lost = (before: States, after: States) =>
  differences(before, after).filter((line) => parts.test(line) && !ofTheBoot.test(line));
const again = (before: States, after: States) =>
  lost(before, after).filter((line) => !/^\S+ files: /.test(line));

/** Both real servers answer, as soon as connections that nobody answered during the boot no longer count against one. */
const served = (url: string) =>
  expect.poll(async () => Object.keys(await ask(url, 6)).sort(), patience).toEqual(["rs1", "rs2"]);

async function rebootAll(names: readonly HostName[], url: string): Promise<number> {
  const [seconds] = await Promise.all([outage(url), ...names.map((host) => reboot(host))]);
  return seconds;
}

/** Waits until the unit has done its work. */
const restored = (host: HostName) =>
  run(
    host,
    "n=0; until systemctl is-active -q pulumi-lvs; do n=$((n + 1)); [ $n -lt 3000 ] || exit 1; sleep 0.5; done",
    { timeoutSeconds: 600 },
  );

/** Has networkd do something as most systems have it: it takes away what it does not know. Tells what it took. */
const withNetworkd = async (host: HostName, command: string, keep = "no"): Promise<string> => {
  const { stdout } = await run(
    host,
    `for f in /etc/systemd/network/20-${host}-*.network; do
  d=/run/systemd/network/$(basename $f).d; mkdir -p $d; printf '[Network]\\nKeepConfiguration=${keep}\\n' >$d/lab.conf
done
timeout 120 ip monitor address route >/tmp/seen & monitor=$!; sleep 1
${command}
# what is taken is taken soon, and what is left has twenty seconds to go
n=0; until grep -E '^Deleted .*192\\.168\\.0\\.2(10|19)/' /tmp/seen >&2 || [ $n -ge 20 ]; do n=$((n + 1)); sleep 1; done
sleep 2; kill $monitor; wait
rm -r /run/systemd/network/20-*.d
grep ^Deleted /tmp/seen; rm /tmp/seen`,
    { timeoutSeconds: 600, allowFailure: true },
  );
  return stdout;
};

const tookVip = /^Deleted .*192\.168\.0\.2(10|19)\//m;

for (const [environment, title, url, share] of [
  ["lab-dr", "an LVS/DR cluster", "http://192.168.0.210/", { rs1: 2, rs2: 4 }],
  ["lab-nat", "an LVS/NAT cluster", "http://192.168.0.219/", { rs1: 3, rs2: 3 }],
] as const)
  onLab(`after a reboot of all its machines, ${title}`, () => {
    const keep = disposing();
    let stack: Stack;
    let clean: States;
    let before: States;

    it("has the same table, addresses, routes and sysctls, and serves", async () => {
      clean = await statesOf(hosts);
      stack = keep(await Stack.ofEnvironment(environment));
      await stack.up();
      // from the first `up` on it hears of what becomes of the network
      await Promise.all(hosts.map(restored));
      expect(await ask(url, 6)).toEqual(share);
      before = await statesOf(hosts);

      const seconds = await rebootAll(hosts, url);
      console.log(
        `${title}: the VIP served again ${seconds} s after it had gone down with director and real servers`,
      );
      await Promise.all(hosts.map(restored));

      // when a file was written it does not tell, and that they are there the unit has shown
      expect(again(before, await statesOf(hosts))).toEqual([]);
      await served(url);
    }, 900_000);

    it("is what the stack says, down to whose it is", async () => {
      expect(await stack.preview("--refresh", "--expect-no-changes")).toMatch(/unchanged/);
      const { stdout } = await run("director", "cat /run/pulumi-lvs/owners");
      expect(stdout).toMatch(/^lvs\/lab-\w+\/\S+ VirtualService tcp:\/\/192\.168\.0\.2/m);
    });

    if (environment === "lab-dr") {
      it("lets only the director answer ARP for the VIP", async () => {
        expect(await arpAnswers("192.168.0.210")).toEqual(["director"]);
      });

      const allBack = () =>
        expect
          .poll(
            async () =>
              lost(before, await statesOf(hosts)).filter((line) => / (addresses|routes): /.test(line)),
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
        expect(await told("rs1")).toMatch(/cannot bring back Sysctl late: .*no such setting/);
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
          /cannot bring back RealServer tcp:\/\/192\.168\.0\.210:80\/192\.168\.0\.99:80: /,
        );
        await run("director", "sed -i '/192.168.0.99/d' /etc/pulumi-lvs/boot /run/pulumi-lvs/owners");
        await run("director", "systemctl restart pulumi-lvs");
        await allBack();
        await served(url);
      }, 900_000);
    }

    it("goes without trace", async () => {
      await stack.destroy();
      // sysctls that the boot itself set otherwise are no trace of ours; those of a host that was not rebooted other tests compare
      const left = differences(clean, await statesOf(hosts));
      expect(
        left.filter(
          (line) =>
            /^\S+ (ipvs|addresses|routes|files): .*/.test(line) &&
            (!/ files: /.test(line) || /pulumi/.test(line)),
        ),
      ).toEqual([]);
      expect((await stateOf("director")).modules).not.toMatch(/ip_vs/);
      await run("director", "! systemctl cat pulumi-lvs 2>/dev/null");
    });
  });
