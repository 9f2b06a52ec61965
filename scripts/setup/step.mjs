/** @typedef {{ quiet: boolean }} StepOptions */

/** @type {StepOptions} */
const options = { quiet: false };

/** Leave out everything but what is about to be installed and what is missing. */
export function quieten() {
  options.quiet = true;
}

/** @param {string} line a line for everyone, quiet or not */
export function print(line) {
  console.log(`setup: ${line}`);
}

const seconds = (/** @type {number} */ since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/**
 * Announces some work, does it, and reports how long it took if that was over a second.
 *
 * @template T
 * @param {string} title what is about to be done, such as "installing qemu-utils"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  print(title);
  const start = performance.now();
  // A line each minute shows a person, and a CI runner with an idle limit, that it is still alive.
  const heartbeat = setInterval(() => print(`still ${title} (${seconds(start)})`), 60_000);
  try {
    const result = await work();
    if (!options.quiet && performance.now() - start > 1000) print(`done in ${seconds(start)}: ${title}`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
