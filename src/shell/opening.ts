import { bootFunctions } from "./boot.js";
import { assign, shellText } from "./index.js";
import { drainFunctions, forwardingFunctions } from "./library.js";
import { monitorFunctions } from "./monitor.js";
import { prelude } from "./prelude.js";
import { headOf, realHost, type Surroundings } from "./surroundings.js";

const functions = [
  bootFunctions,
  drainFunctions,
  forwardingFunctions,
  monitorFunctions,
  ...["vrrp", "transaction", "script", "stop"].map((name) => shellText(`lib/${name}.sh`)),
].join("");

/**
 * Returns the text that a connection gets once, before its first script: the functions of all scripts. It is
 * one group in braces, so a shell defines none of them before it has read the last. They replace functions of
 * the same names that a profile has defined, and each script gets them as they are, because it runs in a
 * subshell. `overrides` are functions of tests that stand in for some of ours.
 */
export const openingText = (surroundings: Surroundings = realHost, overrides = ""): string =>
  `{\n${assign({ prelude: headOf(surroundings) + prelude })}${shellText("lib/opening.sh")}${functions}${overrides}}\n`;
