import { randomBytes } from "node:crypto";
import { assign, shellText } from "../../src/shell/index.js";
import type { ShellStream } from "../../src/ssh/shell-stream.js";
import { plainText } from "../../src/values/foreign.js";

/** How a command on a host ended. */
export interface Ran {
  /** Its exit code, or undefined if the connection ended first. */
  readonly code?: number;
  /** Whether the host goes down, as far as it can know. */
  readonly isGoingDown: boolean;
}

/** Runs a line of shell on a host, and prints what it prints. */
export function commandOn(stream: ShellStream, line: string, print: (line: string) => void): Promise<Ran> {
  const nonce = `lvs-${randomBytes(12).toString("hex")}`;
  const end = new RegExp(`^${nonce} (\\d+) (\\S*)$`);
  return new Promise((resolve) => {
    const reading = (take: (one: string) => void) => {
      let rest = "";
      return (text: string) => {
        const lines = (rest + text).split("\n");
        rest = (lines.pop() as string).slice(-10_000);
        for (const one of lines) take(one);
      };
    };
    const show = (one: string) => void (one.trim() === "" || print(plainText(one.trimEnd(), 1000)));
    const decoded = (one: string) => Buffer.from(one, "latin1").toString("utf8");
    stream.onOutput(
      reading((one) => {
        const [, code, state] = end.exec(one) ?? [];
        if (code === undefined) return show(decoded(one));
        resolve({ code: Number(code), isGoingDown: state === "stopping" });
        stream.close();
      }),
    );
    stream.onErrors(reading(show));
    stream.onClose(() => resolve({ isGoingDown: true }));
    stream.write(assign({ line, nonce }) + shellText("run-command.sh"));
  });
}
