import { stripVTControlCharacters } from "node:util";
import { lockFile } from "./shell/lock.js";
import { refusalRemedies, refusals } from "./shell/refusals.js";
import { shownCommand } from "./shell/shown-command.js";
import { missingSetting } from "./shell/sysctl-modules.js";
import { plainText, visible } from "./values/foreign.js";
import { unknownOutcome } from "./values/outcome.js";

/** The token by which `has` (lib/read.sh) names a tool that a host lacks. */
const noTool = / \[lvs-no-tool ([\w-]+)\]/;

/** Returns the last lines of a host's output as one line, without colours and tokens, each cut if it is long. */
export const lastLines = (text: string): string =>
  text
    .split(/[\r\n]+/)
    .slice(-50)
    // Cut first: the text may have megabytes.
    .map((line) =>
      stripVTControlCharacters(line.slice(0, 2000))
        .replace(/[\s\p{Cc}]+/gu, " ")
        .replace(noTool, "")
        .trim(),
    )
    .filter(Boolean)
    .slice(-4)
    .map((line) => plainText(line, 300))
    .join(" | ");

/**
 * A fault that an operator can mend: one line with what and where, and one with what to do. Never has a stack
 * trace.
 */
export class HostError extends Error {
  constructor(
    readonly host: string,
    readonly reason: string,
    readonly remedy?: string,
    token?: typeof unknownOutcome,
  ) {
    // The parts are clean already. This covers one that was forgotten.
    super(visible(`${host}: ${reason}${remedy ? `; ${remedy}` : ""}${token ? ` ${token}` : ""}`));
    this.name = "HostError";
  }

  /**
   * Returns the message `cannot VERB THING on HOST: CAUSE; what to do`; `what` is the part before the host.
   */
  of(what: string): string {
    return `${what} on ${this.message}`;
  }
}

/** The script was sent, but no answer came. It may have run, have undone its work, or never have arrived. */
export class OutcomeUnknownError extends HostError {
  constructor(host: string, reason: string, remedy?: string) {
    super(host, reason, remedy, unknownOutcome);
  }
}

/**
 * Returns the error without the token, for a script that changes nothing: it does not matter whether it ran.
 */
export const withoutToken = (error: unknown): unknown =>
  error instanceof OutcomeUnknownError ? new HostError(error.host, error.reason, error.remedy) : error;

/** A fault that a retry does not mend. */
export class NotRetriedError extends HostError {}

/** The host does not answer, and a retry would not help. It did not refuse the login. */
export class NotReachedError extends NotRetriedError {}

/** Returns whether a host is down. Otherwise it refused the login, and another connection may help. */
export const isDown = (error: HostError): boolean =>
  error instanceof NotReachedError || !(error instanceof NotRetriedError);

/** Returns the lines of a text, each fit for a message. */
export const plainLines = (text: string): string[] =>
  text
    .split(/[\r\n]+/)
    .map((line) => plainText(stripVTControlCharacters(line.slice(0, 2000)).trim()))
    .filter(Boolean);

/** What to do about a missing tool, by its name. */
const toolRemedies: ReadonlyMap<string, string> = new Map([
  ["ipvsadm", "install ipvsadm there (Debian, Ubuntu: apt-get install ipvsadm; RHEL: dnf install ipvsadm)"],
  ["modprobe", "install kmod there"],
  ["arping", "install arping there (Debian: apt-get install iputils-arping), or set announce: false"],
  [
    "keepalived",
    "install keepalived there (Debian, Ubuntu: apt-get install keepalived; RHEL: dnf install keepalived)",
  ],
  ["ip", "install iproute2 there"],
  ["flock", "install util-linux there"],
]);

/** Returns the name of the tool that a host lacks, if the output of a command has the token of `has`. */
export const missingTool = (text: string): string | undefined => noTool.exec(text)?.[1];

/** What to do about a message of a tool or of the kernel. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^BusyBox v[\s\S]*Usage: ip /m, "install iproute2 there: its ip is BusyBox's, which prints no JSON"],
  [
    /Can't initialize ipvs|modprobe: FATAL: Module ip_vs\w* not found/,
    "its kernel has no ip_vs: install a kernel that has it (Debian: linux-image-amd64), or load the module where the host's kernel is managed",
  ],
  [
    /Operation not permitted|Permission denied|must be root/,
    "log in as root, or as a user who may run sudo without a password",
  ],
  [/Cannot find device|SIOCSIFADDR: No such device/, "name an interface that exists there (see: ip link)"],
  [/Scheduler or persistence engine not found/, "its kernel has no module for that scheduler"],
  [
    /Nexthop has invalid gateway|Network is unreachable/,
    "the gateway must be on a network that the host has an address in",
  ],
  [/No space left on device/, "make room there and run again"],
];

/** Returns what to do about a command that failed with this output, if the tables know it. */
export function remedyFor(text: string): string | undefined {
  // A shell itself reports a command that it does not find.
  const ofShell = /: ([\w-]+): (?:command )?not found/.exec(text)?.[1];
  return (
    toolRemedies.get(missingTool(text) ?? "") ??
    toolRemedies.get(ofShell ?? "") ??
    remedies.find(([pattern]) => pattern.test(text))?.[1]
  );
}

/** Returns the error of a failed step: its command, the exit code and the output, in one line. */
export function commandFailure(host: string, argv: readonly string[], code: number, text: string): HostError {
  return new HostError(
    host,
    `${shownCommand(argv)} failed (exit code ${code}): ${lastLines(text) || "no message"}`,
    code === refusals.noSetting ? missingSetting(argv) : (refusalRemedies.get(code) ?? remedyFor(text)),
  );
}

/** Returns the error for a lock that could not be taken. `code` is the exit code of `take_lock`. */
export function lockFailure(host: string, code: number, seconds: number): HostError {
  if (code === refusals.noTool) return new HostError(host, "flock: not found", toolRemedies.get("flock"));
  if (code === refusals.lockUnsafe) {
    return new HostError(
      host,
      `the lock file ${lockFile} cannot be made, or is not a regular file of root's own`,
      `see ls -ld /run ${lockFile}, and remove it if it is something else`,
    );
  }
  return new HostError(
    host,
    `another run has held the host's lock for ${seconds} s`,
    "wait until it has finished, then run `pulumi up` again",
  );
}

/** The host did not complete a script in time. */
export class TimedOutError extends HostError {}

const timedOut = (host: string, what: string, seconds: number): HostError =>
  new TimedOutError(
    host,
    `${what} timed out after ${seconds} s (connection.operationTimeout)`,
    "check the host's load, or raise the limit",
  );

/** Returns the error of a command that timed out while it ran or before it began. */
export const commandTimedOut = (host: string, argv: readonly string[], seconds: number): HostError =>
  timedOut(host, shownCommand(argv), seconds);

/** Returns the error of a reading that timed out before it began. */
export const readingTimedOut = (host: string, seconds: number): HostError =>
  timedOut(host, "reading the host's state", seconds);

/** Returns the error for an output of a script that has another form or lacks a part. */
export const unexpectedOutput = (host: string, why: string): OutcomeUnknownError =>
  new OutcomeUnknownError(
    host,
    `unexpected output: ${why}`,
    "check what else prints into the user's shell there",
  );

/** Returns the error for a host whose facts differ at each attempt. `shown` names those that differed last. */
export const changingHost = (host: string, attempts: number, shown: readonly string[]): HostError =>
  new HostError(
    host,
    `another program keeps changing what is being configured (${attempts} attempts; the last change: ${shown.join(", ") || "none"})`,
    "stop that program, then run `pulumi up` again",
  );

/** Returns the error for a fact that the host could not read. */
export function factFailure(host: string, of: { shown: string; code: number; text: string }): HostError {
  const why = lastLines(of.text) || `no message (exit code ${of.code})`;
  return new HostError(host, `cannot read ${of.shown}: ${why}`, remedyFor(of.text));
}

/** Returns the reason of a failure whose undo failed, too. `left` says what is left. */
export const notUndone = (why: string, left: readonly string[] = []): string =>
  `${why}; and this could not be undone${left.length > 0 ? `: ${left.join(" | ")}` : ""}`;

/** Returns the error for steps that succeeded without the wanted result, and were undone. */
export const undoneMismatch = (
  host: string,
  why: string,
  remedy = "see which other program changes the host, then run `pulumi up` again",
): HostError => new HostError(host, `${why}; the change was undone`, remedy);
