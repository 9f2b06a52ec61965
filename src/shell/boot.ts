import { createHash } from "node:crypto";
import { assign, shellText } from "./index.js";
import { prelude } from "./prelude.js";
import { refusals } from "./refusals.js";
import { restore } from "./restore.js";

/** What else sets up networks: each takes away what it does not know while it starts. */
const networks = ["systemd-networkd.service", "NetworkManager.service", "networking.service"];

/** The unit that has systemd bring things back at boot, and again after whatever else configures the network starts anew. */
const unit = shellText("boot/pulumi-lvs.service");

const version = createHash("sha256").update(prelude).update(restore).update(unit).digest("hex").slice(0, 12);

/**
 * Shell functions of scripts that declare things: a line for each in /etc/pulumi-lvs/boot, which a unit of ours brings back
 * at boot, or in /run/pulumi-lvs/boot, where it is only declared until then. `$prelude` is the text of the prelude.
 */
export const bootFunctions = [
  assign({
    starters: `multi-user.target ${networks.join(" ")}`,
    version: `# pulumi-lvs ${version}`,
    restore,
    unit,
    NO_BOOT: refusals.noBoot,
  }),
  shellText("boot/install.sh"),
].join("");
