import { randomBytes } from "node:crypto";
import { HostError, lastLines, OutcomeUnknownError } from "../errors.js";
import { openingText } from "../shell/opening.js";
import { commandLine } from "../shell/quote.js";
import { AnswerMeter } from "../ssh/limits.js";
import type { ShellStream } from "../ssh/shell-stream.js";

interface RunOptions {
  /** Seconds after which the caller stops waiting for a script, which continues by itself. Default 30. */
  readonly seconds?: number;
  /** Called with the process number when the script has the lock and begins its work. */
  readonly onBegun?: (pid: number) => void;
  /** Follows the script, which prints marks if `LVS_LOG=trace` is set. */
  readonly trace?: { sent(bytes: number): void; mark(part: number, newest: number): void } | undefined;
}

/** Runs whole scripts on a host, one after another. */
export interface Shell {
  /** Runs a script made for the given nonce and returns what it wrote to standard output. */
  run(script: (nonce: string) => string, options?: RunOptions): Promise<string>;
  /** Whether the shell has ended, so that another must be opened. */
  readonly closed: boolean;
  close(): void;
}

const newNonce = () => `lvs-${randomBytes(12).toString("hex")}`;

/**
 * A long-lived shell: a script costs a round trip instead of a process start. Each script runs in a subshell
 * of its own and ends with `NONCE done`. All other output (banner, profile) is ignored.
 */
export class RemoteShell implements Shell {
  readonly #host: string;
  readonly #stream: ShellStream;
  #chunks: string[] = [];
  #tail = "";
  #errors = "";
  readonly #answer = new AnswerMeter();
  #waiting:
    | {
        marker: string;
        /** Called once. */
        begun: { pattern: RegExp; notify: (pid: number) => void } | undefined;
        marks: { pattern: RegExp; next: number; notify: (part: number, newest: number) => void } | undefined;
        resolve: (text: string) => void;
        reject: (error: Error) => void;
      }
    | undefined;
  #closed = false;

  private constructor(host: string, stream: ShellStream) {
    this.#host = host;
    this.#stream = stream;
    stream.onOutput((text) => {
      if (!this.#isTooMuch(text)) this.#take(text);
    });
    stream.onErrors((text) => {
      if (!this.#isTooMuch(text)) this.#errors = (this.#errors + text).slice(-2000);
    });
    stream.onClose((why) => {
      this.#closed = true;
      this.#waiting?.reject(this.#lost(why));
    });
  }

  /** Opens the shell, and checks that it runs as root. The host reads `opening` before the first script comes. */
  static async open(host: string, stream: ShellStream, opening = openingText()): Promise<RemoteShell> {
    const shell = new RemoteShell(host, stream);
    let own = "";
    const greet = (nonce: string) => {
      own = nonce;
      const lines = [
        ["printf", "%s uid ", nonce],
        ["id", "-u"],
        ["printf", "%s done\\n", nonce],
      ];
      return `${lines.map(commandLine).join("; ")}\n`;
    };
    const greeting = await shell.run(greet);
    const uid = new RegExp(`${own} uid (\\d+)`).exec(greeting)?.[1];
    if (uid !== "0") {
      shell.close();
      throw new HostError(
        host,
        `the login user is not root (uid ${uid ?? "unknown"})`,
        "log in as root, or set sudo: true",
      );
    }
    stream.write(opening);
    return shell;
  }

  get closed(): boolean {
    return this.#closed;
  }

  run(script: (nonce: string) => string, { seconds = 30, onBegun, trace }: RunOptions = {}): Promise<string> {
    if (this.#closed) return Promise.reject(this.#lost());
    const nonce = newNonce();
    this.#answer.reset();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting?.reject(
          new OutcomeUnknownError(
            this.#host,
            `no answer within ${seconds} s`,
            "the script on the host completes or rolls back on its own; check the host, then run `pulumi up` again",
          ),
        );
        this.close();
      }, seconds * 1000);
      const finish = () => {
        clearTimeout(timer);
        this.#waiting = undefined;
        this.#chunks = [];
        this.#tail = "";
      };
      this.#waiting = {
        marker: `${nonce} done\n`,
        begun: onBegun && { pattern: new RegExp(`${nonce} begun (\\d+)\\n`), notify: onBegun },
        marks: trace && {
          pattern: new RegExp(`${nonce} mark (\\d) (\\d{1,9})\n`, "g"),
          next: 0,
          notify: (part, newest) => trace.mark(part, newest),
        },
        resolve: (text) => {
          finish();
          resolve(text);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
      const text = script(nonce);
      trace?.sent(text.length);
      this.#stream.write(text);
    });
  }

  close(): void {
    this.#closed = true;
    this.#stream.close();
  }

  /** Ends the shell if its output has no end, also while no script runs. */
  #isTooMuch(text: string): boolean {
    if (this.#closed) return true;
    const why = this.#answer.take(text);
    if (why === undefined) return false;
    this.#waiting?.reject(this.#lost(why));
    this.close();
    return true;
  }

  #take(text: string): void {
    if (!this.#waiting) return;
    this.#chunks.push(text);
    const seen = this.#tail + text;
    this.#begun(seen);
    this.#marked(seen);
    this.#tail = seen.slice(-200);
    const { marker, resolve, reject } = this.#waiting;
    if (seen.includes(marker)) resolve(this.#chunks.join(""));
    else if (seen.includes(`${marker.trimEnd()}\r\n`)) {
      reject(
        new OutcomeUnknownError(
          this.#host,
          "a terminal changes the output (lines end in CR LF)",
          "let the user log in without a terminal (sudoers: requiretty; sshd_config: ForceCommand)",
        ),
      );
      this.close();
    }
  }

  #begun(seen: string): void {
    const begun = this.#waiting?.begun;
    const pid = begun?.pattern.exec(seen)?.[1];
    if (!this.#waiting || pid === undefined) return;
    this.#waiting.begun = undefined;
    begun?.notify(Number(pid));
  }

  #marked(seen: string): void {
    const marks = this.#waiting?.marks;
    if (!marks) return;
    // A mark at the end of one piece is seen again at the beginning of the next.
    for (const [, part, newest] of seen.matchAll(marks.pattern)) {
      if (Number(part) < marks.next) continue;
      marks.next = Number(part) + 1;
      marks.notify(Number(part), Number(newest));
    }
  }

  #lost(why?: string): OutcomeUnknownError {
    const last = why ?? lastLines(this.#errors);
    return new OutcomeUnknownError(
      this.#host,
      `the connection was lost before the host had answered${last ? ` (${last})` : ""}`,
      "a script that arrived completes or rolls back on its own; run `pulumi up` again",
    );
  }
}
