import { createHash } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.mjs";
import { step } from "./step.mjs";

const releases = "https://get.pulumi.com/releases/sdk";

// Long enough for any server that answers at all, short enough not to delay a build from source.
const silence = 10_000;

/**
 * @param {string} url
 * @returns {Promise<Buffer>}
 */
async function get(url) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), silence);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || !response.body) throw new Error(`HTTP status ${response.status}`);
    const chunks = [];
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), silence);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    const { message, cause } = /** @type {Error & { cause?: Error }} */ (error);
    const why = abort.signal.aborted ? `silent for ${silence / 1000} s` : (cause?.message ?? message);
    throw new Error(`cannot download ${url} (${why})`);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} checksums lines of a digest and a file name
 * @param {string} name
 * @param {Buffer} content
 * @returns {boolean} whether the content is what the list says it is
 */
function isListed(checksums, name, content) {
  const line = checksums.split("\n").find((line) => line.trim().endsWith(name));
  const digest = line?.trim().split(/\s+/)[0]?.toLowerCase();
  const algorithm = digest?.length === 128 ? "sha512" : "sha256";
  return digest === createHash(algorithm).update(content).digest("hex");
}

/**
 * Gets the vendor's release, checks it against the vendor's list of checksums and unpacks it.
 *
 * @param {string} version
 * @param {string} target folder to make; the programs go to its bin/
 */
export async function downloadPulumi(version, target) {
  if (!["linux", "darwin"].includes(process.platform) || !["x64", "arm64"].includes(process.arch)) {
    throw new Error(`no Pulumi release is known for ${process.platform} on ${process.arch}`);
  }
  const name = `pulumi-v${version}-${process.platform}-${process.arch}.tar.gz`;
  await step(`downloading the Pulumi CLI ${version} from ${releases}`, async () => {
    // The list first: it is small, so an unreachable server shows before the long download.
    const checksums = await get(`${releases}/pulumi-${version}-checksums.txt`);
    const archive = await get(`${releases}/${name}`);
    if (!isListed(checksums.toString(), name, archive)) {
      throw new Error(`${releases}/${name} is not what its checksum says`);
    }
    const file = `${target}.tar.gz`;
    writeFileSync(file, archive);
    mkdirSync(target);
    await run("tar", ["-xzf", file, "-C", target]);
    renameSync(join(target, "pulumi"), join(target, "bin"));
  });
}
