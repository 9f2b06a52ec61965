import { expect } from "vitest";
import type { HostName } from "../support/machines/lab.mts";
import { differences, type States } from "./host-state.mts";
import { ask, patience, waitOn } from "./setup.mts";

/** What must be there again; which modules happened to be loaded besides is the kernel's business. */
const parts = /^\S+ (ipvs|addresses|routes|files|sysctls): /;
// what a boot sets anew in each interface, or counts
const ofTheBoot =
  /net\.(ipv4|ipv6)\.neigh\.|kernel\.(random|pty|sched|perf)|fs\.|net\.netfilter|net\.ipv4\.tcp_mem|net\.ipv4\.udp_mem|vm\./;

/** What is no longer as it was. */
export const lost = (before: States, after: States) =>
  differences(before, after).filter((line) => parts.test(line) && !ofTheBoot.test(line));

/**
 * Both real servers answer. Connections that had no answer during the boot count against one with wlc, for minutes. So each
 * try asks twice as often as the last one, until the other has as many.
 */
export const served = (url: string) => {
  let times = 6;
  const answers = async () => {
    const counts = await ask(url, times);
    times = Math.min(2 * times, 96);
    return Object.keys(counts).sort();
  };
  return expect.poll(answers, patience).toEqual(["rs1", "rs2"]);
};

/** Commands that have networkd keep (`static`) or delete (`no`, as on most systems) what it does not know, while they run. */
export const keepingConfiguration = (host: HostName, keep: "no" | "static", commands: string): string =>
  `for f in /etc/systemd/network/20-${host}-*.network; do
  d=/run/systemd/network/$(basename $f).d; mkdir -p $d; printf '[Network]\\nKeepConfiguration=${keep}\\n' >$d/lab.conf
done
${commands}
rm -r /run/systemd/network/20-*.d`;

/** Waits until the unit has done its work. */
export const restored = (host: HostName) => waitOn(host, "systemctl is-active -q pulumi-lvs");
