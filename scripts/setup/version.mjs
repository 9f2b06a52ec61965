/**
 * @param {string} text such as "go version go1.26.8 linux/amd64" or "v3.258.0"
 * @returns {string | undefined} the first version number in it
 */
export function versionIn(text) {
  return /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
}

/**
 * @param {string} version
 * @param {string} oldest
 * @returns {boolean}
 */
export function isAtLeast(version, oldest) {
  return version.localeCompare(oldest, "en", { numeric: true }) >= 0;
}
