import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { coldStart, stopAll } from "./boot.mts";
import { execute, step } from "./command.mts";
import { guestFiles } from "./guest-files.mts";
import { hosts } from "./hosts.mts";
import { withLock } from "./lock.mts";
import { hardware } from "./machine.mts";
import { cacheRoot, shortHash } from "./paths.mts";

type Log = (line: string) => void;

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
  ...["ipvsadm", "keepalived", "nginx-light", "curl", "ca-certificates", "tcpdump", "python3-minimal"],
];

const assembleScript = () => readFile(path.join(import.meta.dirname, "assemble.sh"), "utf8");

// a snapshot loads only into the QEMU that wrote it, so its version is part of the recipe
const recipe = async (): Promise<string> =>
  JSON.stringify([
    packages,
    [...(await guestFiles())],
    await assembleScript(),
    hardware(),
    (await execute(["qemu-system-x86_64", "--version"])).stdout,
  ]);

const newKey = (file: string, comment: string) =>
  execute(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);

/** Makes keys, password and all other files that the root file system gets on top of Debian's. */
const writeOverlay = async (dir: string): Promise<void> => {
  const overlay = path.join(dir, "overlay");
  const files = await guestFiles();
  await newKey(path.join(dir, "id_ed25519"), "pulumi-lvs lab");
  files.set("root/authorized_keys", await readFile(path.join(dir, "id_ed25519.pub"), "utf8"));
  const password = randomBytes(12).toString("hex");
  await writeFile(path.join(dir, "secretary.password"), `${password}\n`, { mode: 0o600 });
  files.set("root/secretary.password", `secretary:${password}\n`);
  for (const [name, text] of files) {
    await mkdir(path.dirname(path.join(overlay, name)), { recursive: true });
    await writeFile(path.join(overlay, name), text);
  }
  const hostKeys = path.join(overlay, "etc/ssh/host-keys");
  await mkdir(hostKeys);
  for (const host of hosts) {
    await newKey(path.join(hostKeys, host), host);
    await copyFile(path.join(hostKeys, `${host}.pub`), path.join(dir, `${host}.pub`));
  }
  const owner = ["--owner=0", "--group=0", "--mode=u=rwX,go=rX"];
  await execute(["tar", "--create", ...owner, "-f", path.join(dir, "overlay.tar"), "-C", overlay, "."]);
};

// mmdebstrap takes root where it has it and a user namespace elsewhere; the second step has to do the same
const asRoot = (argv: string[]) =>
  process.getuid?.() === 0 ? argv : ["mmdebstrap", "--unshare-helper", ...argv];

const writeRoot = async (dir: string): Promise<void> => {
  await execute(
    [
      ...["mmdebstrap", "--quiet", "--variant=minbase", `--include=${packages.join(",")}`],
      ...["--aptopt=APT::Install-Recommends false", "--dpkgopt=path-exclude=/usr/share/man/*"],
      ...["--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/doc/*"],
      `--customize-hook=tar-in '${path.join(dir, "overlay.tar")}' /`,
      '--customize-hook=chroot "$1" sh /root/setup.sh',
      ...["bookworm", path.join(dir, "root.tar")],
    ],
    { timeoutSeconds: 1800 },
  );
};

const writeDisk = async (dir: string): Promise<void> => {
  await using root = await open(path.join(dir, "root.tar"));
  await using disk = await open(path.join(dir, "disk.tar"), "w");
  const argv = asRoot(["sh", "-c", await assembleScript()]);
  await execute(argv, { stdin: root.fd, stdout: disk.fd, timeoutSeconds: 600 });
  await execute(["tar", "--extract", "-f", path.join(dir, "disk.tar"), "-C", dir]);
};

/** Machines and directory of a build that was killed; whoever holds the lock may sweep them up. */
const sweep = async (): Promise<void> => {
  for (const name of await readdir(cacheRoot())) {
    if (!name.startsWith("build-")) continue;
    await stopAll(path.join(cacheRoot(), name));
    await rm(path.join(cacheRoot(), name), { recursive: true, force: true });
  }
};

const build = async (image: string, log: Log): Promise<void> => {
  await sweep();
  const dir = await mkdtemp(path.join(cacheRoot(), "build-"));
  try {
    await step(log, "building the image (Debian 12, once)", async () => {
      await writeOverlay(dir);
      await writeRoot(dir);
      await writeDisk(dir);
    });
    await coldStart(dir, dir, log).finally(() => stopAll(dir));
    const leftovers = [
      "overlay",
      "overlay.tar",
      "root.tar",
      "disk.tar",
      "run",
      "ports.json",
      "ssh_config",
      "known_hosts",
    ];
    for (const name of leftovers) await rm(path.join(dir, name), { recursive: true, force: true });
    await rename(dir, image);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

/** Directory of the image for this recipe; builds it where it is missing. */
export const ensureImage = async (log: Log): Promise<string> => {
  const image = path.join(cacheRoot(), `image-${shortHash(await recipe())}`);
  if (existsSync(image)) return image;
  await withLock(path.join(cacheRoot(), "build.lock"), async () => {
    // another process may have built it while this one waited
    if (!existsSync(image)) await build(image, log);
  });
  return image;
};
