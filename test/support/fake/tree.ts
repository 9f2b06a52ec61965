import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { lockFile } from "../../../src/shell/lock.js";

export const fakeBin = join(__dirname, "bin");

/** The programs of a minimal system that scripts and fake tools use. */
const systemTools =
  "awk basename cat chmod cut date flock grep head ln ls mkdir mv readlink rm rmdir sed sh sha256sum sleep sort sync tail tr wc"
    .split(" ")
    // The awk of Debian, whichever is the awk of this machine.
    .map((name) => [name, findProgram(name === "awk" ? "mawk" : name)] as const);

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
  // and what it does not print: thresholds by service and real server
  thresholds: "",
  timeouts: "900 120 300\n",
  daemons: "",
  links: "lo\neth0\neth1\n",
  addresses:
    "lo 127.0.0.1/8 - - -\nlo ::1/128 - - -\neth0 192.168.0.5/24 192.168.0.255 - -\neth0 2001:db8::5/64 - - -\neth1 192.168.10.10/24 - - -\n",
  routes: "4 main default 192.168.0.1 eth0 - 0\n6 main default 2001:db8::1 eth0 - 1024\n",
  uid: "0\n",
  ticks: "86400\n",
  // what `date +%s` says, and what goes to real servers
  date: "1769860800\n",
  connections: "",
  schedulers: "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos".split(" ").join("\n").concat("\n"),
  modules:
    "libcrc32c - -\nnf_conntrack libcrc32c hashsize=65536\nip_vs nf_conntrack,libcrc32c conn_tab_bits=12\nip_vs_rr ip_vs -\nip_vs_lc ip_vs -\nip_vs_wlc ip_vs -\nip_vs_mh ip_vs -\nipip - -\n",
  log: "",
  // the kernel without modules: ip_vs is built in
  "proc/net/ip_vs": "",
  "sys/module/ip_vs/parameters/conn_tab_bits": "12\n",
  "proc/sys/net/ipv4/ip_forward": "0\n",
  "proc/sys/net/ipv4/icmp_ratelimit": "1000\n",
  "proc/sys/net/ipv6/conf/all/forwarding": "0\n",
  "proc/sys/net/ipv4/conf/all/accept_redirects": "1\n",
  "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456\n",
  "proc/sys/net/ipv4/vs/expire_nodest_conn": "0\n",
  "proc/sys/net/ipv4/vs/expire_quiescent_template": "0\n",
  "proc/sys/kernel/random/boot_id": "one\n",
  "proc/sys/kernel/random/uuid": "c1f1a2f4-7d0c-4d3c-9f0b-5f3f6a0e8d11\n",
  ...Object.fromEntries(
    [
      ["lo", "00:00:00:00:00:00", "0x9"],
      ["eth0", "52:54:00:00:00:05", "0x1003"],
      ["eth1", "52:54:00:00:01:05", "0x1003"],
    ].flatMap(([name, address, flags], i) => [
      [`sys/class/net/${name}/address`, `${address}\n`],
      [`sys/class/net/${name}/flags`, `${flags}\n`],
      [`sys/class/net/${name}/ifindex`, `${i + 1}\n`],
    ]),
  ),
  ...Object.fromEntries(
    ["all", "lo", "eth0", "eth1", "eth0.100"].flatMap((name) => [
      [`proc/sys/net/ipv4/conf/${name}/arp_ignore`, "0\n"],
      [`proc/sys/net/ipv4/conf/${name}/arp_announce`, "0\n"],
      [`proc/sys/net/ipv4/conf/${name}/send_redirects`, "1\n"],
    ]),
  ),
};

// Scripts write many small files and sync them, which costs no disk there. Containers may have a small one.
const memory = "/dev/shm";
function place(): string {
  try {
    accessSync(memory, constants.W_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize > 2 ** 30 ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Makes a host's tree: state as files, and `tools`, the only directory on its PATH. */
export function makeTree(): string {
  // A fake that takes a part of this path for an option fails always, and not only with some random names.
  const root = mkdtempSync(join(place(), "lvs-fake-V-"));
  for (const directory of [
    "faults",
    "tools",
    "run/systemd/system",
    "sys/module",
    "etc/systemd/system/multi-user.target.wants",
    "etc/keepalived",
  ])
    mkdirSync(join(root, directory), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeInto(root, name, text);
  for (const name of allTools.keys()) linkTool(root, name);
  return root;
}

const allTools = new Map([
  ...systemTools.flatMap(([name, path]) => (path ? [[name, path] as const] : [])),
  ...readdirSync(fakeBin).map((name) => [name, join(fakeBin, name)] as const),
]);

function linkTool(root: string, name: string): void {
  symlinkSync(allTools.get(name) as string, join(root, "tools", name));
}

/** Puts back every tool that was taken away. */
export function restoreTools(root: string): void {
  const present = new Set(readdirSync(join(root, "tools")));
  for (const name of allTools.keys()) if (!present.has(name)) linkTool(root, name);
}

export function writeInto(root: string, name: string, text: string): void {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  // A script that runs meanwhile reads the old text or the new one. A tool, which is a link to this repository's, is replaced.
  const whole = `${root}.new`;
  const mode = lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0o644;
  writeFileSync(whole, text, { mode: 0o644 });
  chmodSync(whole, mode & 0o777 & ~0o022);
  renameSync(whole, path);
}

/** Whatever a host keeps: each file with its content, each directory with null, wherever the tree is. */
export type Image = Readonly<Record<string, string | null>>;

const placeholder = "%ROOT%";
const linkTo = "\0link to ";
const link = (path: string) => `${linkTo}${readlinkSync(path)}`;
// the lock file stays, and holds nothing
const apart = new Set(["faults", "tools", "log", "ticks", lockFile.slice(1)]);

export function imageOf(root: string): Image {
  const image: Record<string, string | null> = {};
  const visit = (directory: string): void => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const name = directory ? `${directory}/${entry.name}` : entry.name;
      if (apart.has(name)) continue;
      image[name] = entry.isDirectory()
        ? null
        : entry.isFile()
          ? readFileSync(join(root, name), "utf8").replaceAll(root, placeholder)
          : link(join(root, name)).replaceAll(root, placeholder);
      if (entry.isDirectory()) visit(name);
    }
  };
  visit("");
  return image;
}

/** Makes a tree hold what the image has, and nothing else. */
export function putImage(root: string, image: Image): void {
  const now = imageOf(root);
  for (const name of Object.keys(now).reverse())
    if (!(name in image) || (now[name] === null) !== (image[name] === null))
      rmSync(join(root, name), { recursive: true, force: true });
  for (const [name, text] of Object.entries(image)) {
    if (now[name] === text) continue;
    if (text === null) mkdirSync(join(root, name), { recursive: true });
    else if (text.startsWith(linkTo)) {
      rmSync(join(root, name), { force: true });
      symlinkSync(text.slice(linkTo.length).replaceAll(placeholder, root), join(root, name));
    } else writeInto(root, name, text.replaceAll(placeholder, root));
  }
}

/** An image as one text, in which the order of what has none does not show. */
export const textOf = (image: Image): string =>
  Object.entries(image)
    .map(([name, text]) => {
      if (text === null) return `${name}/`;
      // what only tells whether it was the package or a boot that put everything there
      if (name === "run/pulumi-lvs/restored") return name;
      // how long a fake host's lock is waited for is the test's own
      if (/^etc\/pulumi-lvs\/(restore|monitor)$/.test(name))
        return `${name}: ${JSON.stringify(text.replace(/^LOCK_TRIES=.*$/m, "LOCK_TRIES=N"))}`;
      const isSet = /^(addresses|routes|(etc|run)\/pulumi-lvs\/boot)$/.test(name);
      return `${name}: ${JSON.stringify(isSet ? text.split("\n").sort().join("\n") : text)}`;
    })
    .join("\n");

/** Whatever a host keeps, as one text. */
export const snapshot = (root: string): string => textOf(imageOf(root));
