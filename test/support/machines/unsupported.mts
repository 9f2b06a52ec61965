import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { findKernel } from "../../../scripts/setup/kernel.mjs";
import { choose } from "./choose.mts";
import { searchPath } from "./command.mts";

// program, or path of a file, and the Debian package it comes in
const needed = {
  mmdebstrap: "mmdebstrap",
  vde_switch: "vde2",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  mke2fs: "e2fsprogs",
  flock: "util-linux",
  "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
};
const neededBy = {
  qemu: { "qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils" },
  uml: {
    vde_plug: "vde2",
    "/usr/lib/x86_64-linux-gnu/vdeplug/libvdeplug_slirp.so": "libvdeplug-slirp",
  },
};

const isHere = (name: string) =>
  name.startsWith("/")
    ? existsSync(name)
    : searchPath.split(":").some((dir) => dir !== "" && existsSync(path.join(dir, name)));

/** Why this computer cannot run a lab; undefined if it can. */
export const unsupported = (): string | undefined => {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  const { name, why } = choose();
  const missing = Object.entries({ ...needed, ...neededBy[name] }).filter(([file]) => !isHere(file));
  const absent = [...new Set(missing.map(([, debian]) => debian))];
  if (absent.length > 0) return `the lab needs these Debian packages: ${absent.join(" ")}`;
  if (name === "uml" && !findKernel())
    return `${why}, and there is no User-Mode Linux kernel: node scripts/setup.mjs --kernel builds it`;
  if (process.getuid?.() !== 0 && spawnSync("mmdebstrap", ["--unshare-helper", "true"]).status !== 0)
    return "the lab's image is built as root or in a user namespace: neither is to be had (Debian package uidmap, /etc/subuid)";
  return undefined;
};
