import { createHash } from "node:crypto";
import { checkFormsVariable } from "../values/health-check.js";
import { ranks } from "../values/ranks.js";
import { serverNumbersVariable } from "../values/server-numbers.js";
import { assign, shellText } from "./index.js";

// A tick of the agent (supervisor.sh): `evaluate` gives the checks that are wanted and the changes that follow from the
// results. `list_checks` keeps a file for each check, and `start_checks` starts processes for them: one for each check
// (rounds.sh), or one curl for many (batch.sh). They write results to these files and wake the supervisor. `tick` makes
// the changes (table.sh), with the lock, and writes /run/pulumi-lvs/health.

/**
 * Shell functions (POSIX sh) that check one server once.
 *
 * They use only what every build of curl has. Telnet is the exception, and they do without it if it is
 * missing.
 *
 * The output of a server or a command passes a pipe that ends at 1 MB, and becomes numbers and words of one
 * line. Nothing else of it is kept or parsed.
 *
 * A check that the director itself cannot run says nothing about the server. Otherwise a local user who takes
 * all local ports would take servers out. No server can cause that case.
 */
const checker = shellText("health/checker.sh") + shellText("health/curl.sh");

/** Shell functions that read and write the file of a check, for a process of its own and for a batch. */
const checkFile = shellText("health/check-file.sh");

/** Shell functions that check one server repeatedly, in its own process, which counts. */
const rounds = shellText("health/rounds.sh");

/**
 * Shell functions and awk (POSIX, without the quote ') that check the pages of many servers by one curl a
 * round. They are a pipe of four processes: the rounds of curl, an awk that passes on whole lines, an awk that
 * counts and evaluates, and the writer of results. The last one finds the causes of failed connections.
 *
 * Lines of curl begin with a random word that no server knows, so no text of a server can pass for one. Pages
 * are files, which the limit of file sizes cuts.
 */
const batches = shellText("health/batch.sh");
const checks = shellText("health/checks.awk") + shellText("health/requests.awk");
/** Passes on what curl prints in parts, line by line. */
export const linesProgram = shellText("health/lines.awk");
/** Decides which checks one curl does, and writes its configuration. */
export const planProgram = checks + shellText("health/plan.awk");
/** Counts what curl reports, and prints the changed results. */
export const resultsProgram = checks + shellText("health/results.awk");

/**
 * The only place where data of the evaluation becomes a command: a shell function that makes an argument
 * vector for each verb. The readers (readers.awk) decide what the fields may hold. No field is ever evaluated
 * as shell text.
 */
const table = shellText("health/table.sh");

/**
 * Shell functions that pass all known data to the evaluation, each file by its kind, and report lines that do
 * not fit.
 */
const evaluateFunctions = shellText("health/evaluate.sh");

/**
 * Shell functions for checks of the VIP on a real server (gatewaying).
 *
 * The VIP is the director's own address, so a packet to it would stay on the director. Hence packets from
 * certain ports of the director get a firewall mark. A private service for that mark has only the real server
 * behind it.
 *
 * The answer comes from the VIP. The kernel accepts that source from outside only with accept_local. A file
 * for each check records what was added and how to remove it.
 */
const vipPath = shellText("health/vip-path.sh");

/**
 * Shell functions that write lines to the logs of monitors, without the host's lock. The agent is root, and a
 * path may be where other users can write. So it writes to regular files only, and only in a folder where
 * only root can replace them.
 */
const logging = shellText("health/logging.sh");

/** Shell functions about files of health checks, for scripts and for the agent itself. */
export const fileFunctions = shellText("health/agent-files.sh");

/**
 * The readers of the evaluation: POSIX awk without intervals, which old mawk lacks, and without the quote '.
 *
 * The variable `from` names the kind of the file. Each kind has one reader, which accepts only lines of its
 * own grammar. A reader checks every field before it keeps any. It returns 0 for a line that does not fit,
 * and that line is counted and ignored.
 */
const readers = shellText("health/readers.awk");

/**
 * The evaluation: POSIX awk without the quote '. Reads all known data by the readers of readers.awk, and
 * prints what the agent has to do. It changes nothing and reads no clock, so the agent can repeat it with the
 * lock held.
 *
 * In: data of the supervisor, files of monitors (health/monitor.ts), records (facts/ledger.ts), results
 * of checks, lines of drains and of health, and the agent's own state from last time.
 *
 * Out: a line for each distinct check, `--`, and then `quiet`, or `do PHASE SERVICE VERB …` in order
 * (table.sh), `health …`, `kept …`, `log FILE TEXT`, `note TEXT`. In both cases `announces` follows if the
 * supervisor has to read routes, and `ignored TEXT` for each file with lines that do not fit and for each
 * route that waits for the restore.
 */
export const evaluateProgram = readers + shellText("health/evaluate.awk") + shellText("health/announce.awk");

/** The main part of the agent, after the functions of the prelude and those about the processes of checks. */
const supervisor = shellText("health/processes.sh") + shellText("health/supervisor.sh");

/** The number by which the kernel distinguishes the routes of announcements from those of other programs. */
const routeProtocol = 219;

/** The agent without the prelude, which comes first. */
export const agent = [
  assign({
    ...{
      evaluate_awk: evaluateProgram,
      plan_awk: planProgram,
      lines_awk: linesProgram,
      results_awk: resultsProgram,
    },
    ...{ SERVICE: ranks.service, SERVER: ranks.server, ROUTE_PROTOCOL: routeProtocol },
    ...{ ...serverNumbersVariable, ...checkFormsVariable },
  }),
  checker,
  checkFile,
  rounds,
  batches,
  table,
  evaluateFunctions,
  vipPath,
  logging,
  fileFunctions,
  supervisor,
].join("");

/**
 * Returns the first line, which distinguishes one text of the agent from another. It depends on the agent, its unit and
 * the functions before it.
 */
export const agentVersion = (functions: string): string =>
  createHash("sha256").update(functions).update(agent).update(unit).digest("hex").slice(0, 12);

/** The unit with which systemd runs the agent. */
export const unit = shellText("health/pulumi-lvs-monitor.service");
