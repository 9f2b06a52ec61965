import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { searchPath } from "./command.mts";

// program and the Debian package it comes in
const needed = {
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  mmdebstrap: "mmdebstrap",
  vde_switch: "vde2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  mke2fs: "e2fsprogs",
  flock: "util-linux",
};

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const onPath = (program: string) =>
  searchPath.split(":").some((dir) => dir !== "" && existsSync(path.join(dir, program)));

/** Why this computer cannot run a lab; undefined if it can. */
export const unsupported = (): string | undefined => {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  const missing = Object.entries(needed).filter(([program]) => !onPath(program));
  const absent = [
    ...missing.map(([, name]) => name),
    ...(existsSync(keyring) ? [] : ["debian-archive-keyring"]),
  ];
  if (absent.length > 0) return `the lab needs these Debian packages: ${[...new Set(absent)].join(" ")}`;
  if (process.getuid?.() !== 0 && spawnSync("mmdebstrap", ["--unshare-helper", "true"]).status !== 0)
    return "the lab's image is built as root or in a user namespace: neither is to be had (Debian package uidmap, /etc/subuid)";
  return undefined;
};
