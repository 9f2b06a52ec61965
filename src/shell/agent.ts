import { createHash } from "node:crypto";
import { ranks } from "../values/ranks.js";
import { assign, shellText } from "./index.js";

/**
 * Shell functions that check one server once. POSIX sh; of curl only what every build of it has, but for telnet, which is done
 * without where it is missing. What a server, or a command, says is read through a pipe that is cut at 1 MB, and ends as numbers
 * and as words of one line: nothing of it is kept whole or read as anything else. A check that the director itself cannot do says
 * nothing on the server, or any local user who takes all local ports would take servers out; no server can bring that about.
 */
const checker = shellText("health/checker.sh");

/** Shell functions that check one server again and again, in a process of its own that counts and writes its verdict down. */
const rounds = shellText("health/rounds.sh");

/**
 * The only place where data of the judge becomes a command: a shell function for its verbs, each an argument vector of its own
 * making. What the fields may hold is the readers' matter (readers.awk); nothing of it is ever read as shell text.
 */
const table = shellText("health/table.sh");

/** Shell functions that give the judge all that is known, each file by its kind, and report what it does not understand. */
const known = shellText("health/known.sh");

/**
 * Shell functions for checks of the VIP on a real server (gatewaying). The VIP is the director's own address, so a packet to it
 * would stay at home. So packets from certain ports of the director's get a firewall mark, and a private service for that mark
 * has the real server alone behind it. The answer comes from the VIP, which the kernel takes from outside only with accept_local.
 * What was added, and how to take it back, is in a file for each check.
 */
const passage = shellText("health/vip-path.sh");

/**
 * Shell functions that write lines to the logs of monitors, without the host's lock. The agent is root, and a path may be where others
 * can write; so it writes to regular files only, and only in a folder where others can put nothing in their place.
 */
const logging = shellText("health/logging.sh");

/** Shell functions about files of health checks, for scripts and for the agent itself. */
export const fileFunctions = shellText("health/files.sh");

/**
 * The judge's readers: awk (POSIX, without intervals, which old mawk lacks; no quote ' may be in it). The variable `from` names the
 * kind of the file that is read, and each kind has one reader, which takes only lines of its own grammar. A reader checks
 * every field before it keeps any, and returns 0 for a line that does not fit; that line is counted and otherwise ignored.
 */
const readers = shellText("health/readers.awk");

/**
 * The judgement: awk (POSIX; no quote ' may be in it) that reads whatever is known by the readers of readers.awk, and prints what is
 * to be done. It changes nothing itself and knows no clock, so it can be asked again with the lock held.
 *
 * In: what the supervisor passes on, then files of monitors (health/monitor-file.ts), records of what is declared (facts/records.ts), verdicts of
 * checks, lines of draining and of health, and what it kept of itself from last time.
 * Out: a line for each distinct check, `--`, and then `quiet`, or `do PHASE SERVICE VERB …` in order (table.sh), `health …`, `kept …`,
 * `log FILE TEXT`, `note TEXT`; in both cases `ignored TEXT` for each file with lines that do not fit.
 */
export const judge = readers + shellText("health/judge.awk");

/** What the agent does after the functions that it has from the prelude. */
const supervisor = shellText("health/supervisor.sh");

/** The agent, but for the prelude that it begins with. */
export const agent = [
  assign({ judge, SERVICE: ranks.service, SERVER: ranks.server }),
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
  createHash("sha256").update(functions).update(agent).update(unit).digest("hex").slice(0, 12);

/** The unit that has systemd keep it running. */
export const unit = shellText("health/pulumi-lvs-monitor.service");
