import { createHash } from "node:crypto";
import { assign, shellText } from "../shell/index.js";
import { checker } from "./checker.js";
import { fileFunctions } from "./files.js";
import { judge } from "./judge.js";
import { known } from "./known.js";
import { logging } from "./logging.js";
import { passage } from "./passage.js";
import { rounds } from "./rounds.js";
import { table } from "./table.js";

/** What the agent does after the functions that it has from the prelude. */
const supervisor = shellText("health/supervisor.sh");

const body = [
  assign({ judge }),
  checker,
  rounds,
  table,
  known,
  passage,
  logging,
  fileFunctions,
  supervisor,
].join("");

/** Tells one text of the agent from another: its own, of the functions before it, and of its unit. */
export const agentVersion = (functions: string): string =>
  createHash("sha256").update(functions).update(body).update(unit).digest("hex").slice(0, 12);

/** The agent, but for the prelude that it begins with. */
export const agent = body;

/** The unit that has systemd keep it running. */
export const unit = shellText("health/pulumi-lvs-monitor.service");
