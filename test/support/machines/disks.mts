import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { engine } from "./engine.mts";
import type { Place } from "./paths.mts";

// the image's id is noted too: an image that was deleted and built again has the same path and other contents
const note = (place: Place) => path.join(place, "image.json");
const idOf = (image: string) => readFile(path.join(image, "id"), "utf8").catch(() => "");

/** The image that the disks of a lab are copies of; empty if there is none or it is no longer the same. */
export const imageInUse = async (place: Place): Promise<string> => {
  const { image = "", id }: { image?: string; id?: string } = JSON.parse(
    await readFile(note(place), "utf8").catch(() => "{}"),
  );
  return (await idOf(image)) === id ? image : "";
};

/** Gives a lab whose machines do not run the disks of an image. */
export const copyDisks = async (place: Place, image: string): Promise<void> => {
  await rm(note(place), { force: true });
  await engine().copyDisks(place, image);
  await writeFile(note(place), JSON.stringify({ image, id: await idOf(image) }));
};
