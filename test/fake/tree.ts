import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export const fakeBin = join(__dirname, "bin");

/** The programs of a minimal system that scripts and fake tools use. */
const systemTools = "awk basename cat flock grep head ls mkdir mv rm rmdir sed sh sha256sum sleep tr wc"
  .split(" ")
  .map((name) => [name, findProgram(name)] as const);

/** Where a program is on this machine; undefined where it is not. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

const files: Record<string, string> = {
  // what `ipvsadm -Sn` prints, `ip` keeps, `id -u` says
  ipvs: "",
  links: "lo\neth0\neth1\n",
  addresses:
    "lo 127.0.0.1/8 - - -\nlo ::1/128 - - -\neth0 192.168.0.5/24 192.168.0.255 - -\neth0 2001:db8::5/64 - - -\neth1 192.168.10.10/24 - - -\n",
  routes: "4 main default 192.168.0.1 eth0 - 0\n6 main default 2001:db8::1 eth0 - 1024\n",
  uid: "0\n",
  ticks: "86400\n",
  schedulers: "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos".split(" ").join("\n").concat("\n"),
  modules:
    "libcrc32c - -\nnf_conntrack libcrc32c hashsize=65536\nip_vs nf_conntrack,libcrc32c conn_tab_bits=12\nip_vs_rr ip_vs -\nip_vs_lc ip_vs -\nip_vs_wlc ip_vs -\nipip - -\n",
  log: "",
  // the kernel without modules: ip_vs is built in
  "proc/net/ip_vs": "",
  "sys/module/ip_vs/parameters/conn_tab_bits": "12\n",
  "proc/sys/net/ipv4/ip_forward": "0\n",
  "proc/sys/net/ipv6/conf/all/forwarding": "0\n",
  "proc/sys/net/ipv4/conf/all/accept_redirects": "1\n",
  "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
  "proc/sys/net/ipv4/vs/expire_nodest_conn": "0\n",
  ...Object.fromEntries(
    ["all", "lo", "eth0", "eth1", "eth0.100"].flatMap((name) => [
      [`proc/sys/net/ipv4/conf/${name}/arp_ignore`, "0\n"],
      [`proc/sys/net/ipv4/conf/${name}/arp_announce`, "0\n"],
      [`proc/sys/net/ipv4/conf/${name}/send_redirects`, "1\n"],
    ]),
  ),
};

/** Makes a host's tree: state as files, and `tools`, the only directory on its PATH. */
export function makeTree(): string {
  const root = mkdtempSync(join(tmpdir(), "lvs-fake-"));
  for (const directory of ["faults", "tools", "run", "root", "sys/module"])
    mkdirSync(join(root, directory), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeInto(root, name, text);
  for (const [name, path] of systemTools) if (path) symlinkSync(path, join(root, "tools", name));
  for (const name of readdirSync(fakeBin)) symlinkSync(join(fakeBin, name), join(root, "tools", name));
  return root;
}

export function writeInto(root: string, name: string, text: string): void {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}

/** Whatever a host keeps, as one text: every file with its content, and every directory. */
export function snapshot(root: string): string {
  const apart = new Set(["faults", "tools", "log", "ticks"]);
  const visit = (directory: string): string[] =>
    readdirSync(join(root, directory), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const name = directory ? `${directory}/${entry.name}` : entry.name;
        if (apart.has(name)) return [];
        if (entry.isDirectory()) return [`${name}/`, ...visit(name)];
        const text = entry.isFile() ? readFileSync(join(root, name), "utf8") : "special";
        // which of them came first means nothing
        const sorted = /^(addresses|routes|run\/.*\/?owners)$/.test(name)
          ? text.split("\n").sort().join("\n")
          : text;
        return [`${name}: ${JSON.stringify(sorted)}`];
      });
  return visit("").join("\n");
}
