import { connect } from "node:net";
import { createInterface } from "node:readline";

type Message = { return?: unknown; error?: { desc: string }; id?: number };

/** Gives one command to QEMU's monitor and returns what it printed; `quit` has no answer. */
export const monitor = (socketPath: string, command: string, timeoutSeconds = 60): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const fail = (what: string) => reject(new Error(`QEMU's monitor ${what} "${command}"`));
    const finish = (text: string) => {
      // the human monitor reports failure as text
      if (text.startsWith("Error")) fail(`said ${text.trim()} to`);
      else resolve(text.trim());
      socket.destroy();
    };
    socket.setTimeout(timeoutSeconds * 1000, () => socket.destroy(new Error(`no answer to "${command}"`)));
    socket.once("error", reject);
    socket.once("close", () => (command === "quit" ? resolve("") : fail("closed on")));
    for (const request of [
      { execute: "qmp_capabilities" },
      { execute: "human-monitor-command", arguments: { "command-line": command }, id: 1 },
    ])
      socket.write(`${JSON.stringify(request)}\n`);
    createInterface({ input: socket }).on("line", (line) => {
      const message: Message = JSON.parse(line);
      if (message.error) finish(`Error: ${message.error.desc}`);
      else if (message.id === 1) finish(String(message.return));
    });
  });
