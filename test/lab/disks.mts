import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { all, execute } from "./command.mts";
import { type HostName, hosts } from "./hosts.mts";
import { diskOf } from "./machine.mts";
import type { Place } from "./paths.mts";

// the image's key is noted too: an image that was deleted and built again has the same path and other contents
const note = (place: Place) => path.join(place, "image.json");
const keyOf = (image: string) => readFile(path.join(image, "id_ed25519.pub"), "utf8").catch(() => "");

/** The image that the disks of a lab are copies of; empty if there is none or it is no longer the same. */
export const imageInUse = async (place: Place): Promise<string> => {
  const { image = "", key }: { image?: string; key?: string } = JSON.parse(
    await readFile(note(place), "utf8").catch(() => "{}"),
  );
  return (await keyOf(image)) === key ? image : "";
};

const copyDisk = async (place: Place, image: string, host: HostName): Promise<void> => {
  const disk = diskOf(place, host);
  await execute(["cp", "--reflink=auto", "--sparse=always", diskOf(image, host), disk]);
  const base = ["-F", "qcow2", "-b", path.join(image, "base.qcow2")];
  await execute(["qemu-img", "rebase", "-q", "-u", "-f", "qcow2", ...base, disk]);
};

/** Copies the image's booted disks, snapshots included, to a lab whose machines do not run. */
export const copyDisks = async (place: Place, image: string): Promise<void> => {
  await rm(note(place), { force: true });
  await all(hosts, (host) => copyDisk(place, image, host));
  await writeFile(note(place), JSON.stringify({ image, key: await keyOf(image) }));
};
