import { randomBytes } from "node:crypto";
import { copyFile, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ensureBuilt } from "./built.mts";
import { execute, type Log, step } from "./command.mts";
import { guestFiles } from "./guest-files.mts";
import { hosts } from "./hosts.mts";

const packages = [
  ...[
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "kmod",
    "procps",
    "sudo",
    "linux-image-cloud-amd64",
  ],
  ...["iproute2", "iputils-ping", "iputils-arping", "iptables", "nftables", "net-tools", "netcat-openbsd"],
  ...[
    "ipvsadm",
    "keepalived",
    "bird2",
    "nginx-light",
    "curl",
    "ca-certificates",
    "tcpdump",
    "python3-minimal",
  ],
];

const newKey = (file: string, comment: string) =>
  execute(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);

/** Makes keys, password and all other files that the root file system gets on top of Debian's. */
const writeOverlay = async (dir: string): Promise<void> => {
  const overlay = path.join(dir, "overlay");
  const files = await guestFiles("guest");
  await newKey(path.join(dir, "id_ed25519"), "pulumi-lvs lab");
  files.set("lab-setup/authorized_keys", await readFile(path.join(dir, "id_ed25519.pub"), "utf8"));
  const password = randomBytes(12).toString("hex");
  await writeFile(path.join(dir, "secretary.password"), `${password}\n`, { mode: 0o600 });
  files.set("lab-setup/secretary.password", `secretary:${password}\n`);
  await writeFiles(overlay, files);
  const hostKeys = path.join(overlay, "etc/ssh/host-keys");
  await mkdir(hostKeys);
  for (const host of hosts) {
    await newKey(path.join(hostKeys, host), host);
    await copyFile(path.join(hostKeys, `${host}.pub`), path.join(dir, `${host}.pub`));
  }
  await pack(overlay, path.join(dir, "overlay.tar"));
};

/** Writes files, given as path and text, below a directory. */
export const writeFiles = async (dir: string, files: ReadonlyMap<string, string>): Promise<void> => {
  for (const [name, text] of files) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
};

/** Packs a directory as root's. */
export const pack = async (dir: string, file: string): Promise<void> => {
  const owner = ["--owner=0", "--group=0", "--mode=u=rwX,go=rX"];
  await execute(["tar", "--create", ...owner, "-f", file, "-C", dir, "."]);
};

const writeRoot = async (dir: string): Promise<void> => {
  await execute(
    [
      ...["mmdebstrap", "--quiet", "--variant=minbase", `--include=${packages.join(",")}`],
      ...["--aptopt=APT::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/man/*"],
      ...["--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/doc/*"],
      `--customize-hook=tar-in '${path.join(dir, "overlay.tar")}' /`,
      '--customize-hook=chroot "$1" sh /lab-setup/setup.sh',
      ...["bookworm", path.join(dir, "root.tar")],
    ],
    { timeoutSeconds: 1800 },
  );
};

/** What a machine's image is made of, whatever runs it: `root.tar`, keys and password. */
export const ensureRoot = async (log: Log): Promise<string> =>
  ensureBuilt("root", [packages, [...(await guestFiles("guest"))]], (dir) =>
    step(log, "building the root file system (Debian 12, once)", async () => {
      await writeOverlay(dir);
      await writeRoot(dir);
      for (const name of ["overlay", "overlay.tar"])
        await rm(path.join(dir, name), { recursive: true, force: true });
    }),
  );

// mmdebstrap takes root where it has it and a user namespace elsewhere; what unpacks has to do the same
const asRoot = (argv: string[]) =>
  process.getuid?.() === 0 ? argv : ["mmdebstrap", "--unshare-helper", ...argv];

const assembleScript = (name: string) => readFile(path.join(import.meta.dirname, name), "utf8");

/** Makes disks from the root file system by a script, which gets these arguments; copies its keys and password. */
export const assemble = async (
  root: string,
  dir: string,
  script: string,
  ...args: readonly string[]
): Promise<void> => {
  const names = ["id_ed25519", "id_ed25519.pub", "secretary.password", ...hosts.map((host) => `${host}.pub`)];
  for (const name of names) await copyFile(path.join(root, name), path.join(dir, name));
  // a lab knows by this that an image is the one that its disks belong to
  await writeFile(path.join(dir, "id"), randomBytes(8).toString("hex"));
  await using tar = await open(path.join(root, "root.tar"));
  await using disk = await open(path.join(dir, "disk.tar"), "w");
  const argv = asRoot(["sh", "-c", await assembleScript(script), "sh", ...args]);
  await execute(argv, { stdin: tar.fd, stdout: disk.fd, timeoutSeconds: 1200 });
  await execute(["tar", "--extract", "--sparse", "-f", path.join(dir, "disk.tar"), "-C", dir], {
    timeoutSeconds: 600,
  });
  await rm(path.join(dir, "disk.tar"));
};

/** What makes up an image apart from its engine. */
export const recipeOf = async (root: string, script: string): Promise<unknown[]> => [
  path.basename(root),
  await readFile(path.join(root, "id_ed25519.pub"), "utf8"),
  await assembleScript(script),
];
