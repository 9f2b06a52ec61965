import { createHash } from "node:crypto";
import { assign, shellText } from "./index.js";
import { prelude } from "./prelude.js";
import { restore } from "./restore.js";

/** Services that set up networks. Each removes what it does not know while it starts. */
const networks = ["systemd-networkd.service", "NetworkManager.service", "networking.service"];

/** The unit that restores the records at boot, and again after a network service restarts. */
const unit = shellText("boot/pulumi-lvs.service");

const version = createHash("sha256").update(prelude).update(restore).update(unit).digest("hex").slice(0, 12);

/**
 * Shell functions of scripts that declare things. Each thing has a line in /etc/pulumi-lvs/boot, which a unit
 * restores at boot, or in /run/pulumi-lvs/boot, which lasts until the reboot. `$prelude` is the text of the
 * prelude.
 */
export const bootFunctions = [
  assign({
    networks: networks.join(" "),
    starters: `multi-user.target ${networks.join(" ")}`,
    version: `# pulumi-lvs ${version}`,
    restore,
    unit,
  }),
  shellText("boot/install.sh"),
].join("");
