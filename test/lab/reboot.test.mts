import { expect, it } from "vitest";
import { type HostName, reboot, run } from "../support/machines/lab.mts";
import { differences, type States, stateOf, statesOf } from "./host-state.mts";
import { lost, restored, served } from "./restored.mts";
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

const again = (before: States, after: States) =>
  lost(before, after).filter((line) => !/^\S+ files: /.test(line));

async function rebootAll(names: readonly HostName[], url: string): Promise<number> {
  const [seconds] = await Promise.all([outage(url), ...names.map((host) => reboot(host))]);
  return seconds;
}

const clusters = [
  ["lab-dr", "an LVS/DR cluster", "http://192.168.0.210/", { rs1: 2, rs2: 4 }],
  ["lab-nat", "an LVS/NAT cluster", "http://192.168.0.219/", { rs1: 3, rs2: 3 }],
] as const;
// emulated CPUs boot for half a minute, and the smoke on them has six: the first stands for both there
const chosen = process.env.LVS_SMOKE ? clusters.slice(0, 1) : clusters;

for (const [environment, title, url, share] of chosen)
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
      const { stdout } = await run("director", `awk -F '\\t' '{ print $4, $3 }' /etc/pulumi-lvs/boot`);
      expect(stdout).toMatch(/^lvs\/lab-\w+\/\S+ VirtualService tcp:\/\/192\.168\.0\.2/m);
    });

    if (environment === "lab-dr") {
      it("lets only the director answer ARP for the VIP", async () => {
        expect(await arpAnswers("192.168.0.210")).toEqual(["director"]);
      });
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
      // systemd forgets it in the background
      const unit = async () => (await run("director", "systemctl cat pulumi-lvs || :")).stdout;
      await expect.poll(unit, patience).toBe("");
    });
  });
