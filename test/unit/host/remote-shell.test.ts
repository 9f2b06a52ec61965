import { expect, test } from "vitest";
import { OutcomeUnknownError } from "../../../src/errors.js";
import { RemoteShell } from "../../../src/host/remote-shell.js";
import type { ShellStream } from "../../../src/ssh/shell-stream.js";

/** A host that greets, warns by standard error, and closes the connection during the first script. */
function lostAfter(warning: string): ShellStream {
  let output: (text: string) => void = () => undefined;
  let errors: (text: string) => void = () => undefined;
  let ended: (why?: string) => void = () => undefined;
  return {
    write: (text) => {
      const greeting = /'?(lvs-[0-9a-f]+)'?; id -u/.exec(text)?.[1];
      if (greeting === undefined) return ended();
      errors(warning);
      output(`${greeting} uid 0\n${greeting} done\n`);
    },
    onOutput: (listener) => {
      output = listener;
    },
    onErrors: (listener) => {
      errors = listener;
    },
    onClose: (listener) => {
      ended = listener;
    },
    close: () => undefined,
  };
}

test("a connection that is lost leaves the outcome unknown, also where sudo has printed a warning", async () => {
  const shell = await RemoteShell.open(
    "web1",
    lostAfter("sudo: unable to resolve host director1: Name or service not known\n"),
  );
  const script = shell.run((nonce) => `: ${nonce}\n`);
  await expect(script).rejects.toThrow(OutcomeUnknownError);
  await expect(script).rejects.toThrow(
    /the connection was lost before the host had answered \(sudo: unable to resolve host .*\[lvs-unknown\]$/,
  );
});
