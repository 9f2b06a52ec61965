import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const withoutFences = (text: string): string => text.replace(/^ *```[\s\S]*?^ *```$/gm, "");

/** Returns the anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutFences(text).matchAll(/^#+ +(.+?) *$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${slug}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Returns the targets of a page's links, without those in code. */
export function linksOf(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: +(\S+)/gm)].map(
    ([, inline, listed]) => inline ?? listed ?? "",
  );
}

/** Returns the links of a page in a folder that lead to no file of it, or to no heading. */
export function brokenLinks(
  folder: string,
  page: string,
  text = readFileSync(join(folder, page), "utf8"),
): string[] {
  return linksOf(text)
    .filter((target) => !/^(https?|mailto):/.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (path !== "" && !existsSync(join(folder, file))) return true;
      if (anchor === undefined) return false;
      return !anchorsOf(path === "" ? text : readFileSync(join(folder, file), "utf8")).has(anchor);
    })
    .map((target) => `${page}: ${target}`);
}
