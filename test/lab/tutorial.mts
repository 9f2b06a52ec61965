import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type HostName, run } from "../support/machines/lab.mts";

/**
 * Runs one of the tutorial's scripts by hand, as an operator would have. Its `eth0` is the lab's `eth1`; the folder for its
 * lock file is what Red Hat's systems have and Debian's have not.
 */
export async function runTutorial(
  host: HostName,
  script: "director-dr" | "real-server-dr" | "director-nat",
): Promise<void> {
  const text = await readFile(join(import.meta.dirname, "tutorial", `${script}.sh`), "utf8");
  await run(host, `mkdir -p /var/lock/subsys\nset -e\n${text.replaceAll("eth0", "eth1")}`);
}

/** Differences from what the scripts leave that are meant to be; README lists them for users. */
export const onPurpose = new RegExp(
  [
    // other people's firewall is not flushed (iptables -F, -Z), so nothing loads its modules
    "^\\S+ modules: - (x_tables|ip_tables|iptable_filter|nfnetlink|nf_tables|nft_compat)$",
    "^\\S+ firewall: ",
    "^\\S+ sysctls: [-+] net\\.netfilter\\.",
    // lo is not taken down and up, which would cut what runs over it, and leaves ::1 without a flag
    "^\\S+ addresses: [-+] 1: lo    inet6 ::1/128 ",
    // who wants a setting, and what was found before, is noted until the last one lets go
    "^\\S+ files: \\+ /run/pulumi-lvs",
    // and what is to come back after a reboot
    "^\\S+ files: \\+ /etc/(pulumi-lvs|systemd/system/([A-Za-z-]+\\.(target|service)\\.wants/)?pulumi-lvs)",
  ].join("|"),
);
