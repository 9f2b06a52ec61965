import { HostError, NotReachedError, NotRetriedError, plainLines } from "../errors.js";
import { plainText } from "../values/foreign.js";
import type { Connection } from "./connection.js";
import { dial, meterOf, notYet } from "./dial.js";
import { notYetUp } from "./dial-error.js";
import { AnswerMeter } from "./limits.js";
import type { Meter } from "./meter.js";
import { retrying } from "./retry.js";
import type { ShellStream } from "./shell-stream.js";
import { sudoRefusal } from "./sudo-refusal.js";
import { type Target, targetOf } from "./target.js";

/** Seconds after the login within which a host must start a shell. */
const shellSeconds = 30;

/** The first output of the shell. Output before it is a profile's or sudo's. */
const hail = "pulumi-lvs shell";

type Client = Awaited<ReturnType<typeof dial>>;
type Channel = Parameters<Parameters<Client["exec"]>[1]>[1];

/** Opens a connection, and one `sh` as root on it. */
export function openShell(connection: Connection): Promise<ShellStream> {
  const target = targetOf(connection);
  const asRoot = connection.sudo ?? target.user !== "root";
  return retrying(target, async () => {
    const client = await dial(target);
    const meter = meterOf(client);
    try {
      const channel = await execute(client, target, asRoot ? "exec sudo -n sh" : "exec sh");
      await greeted(channel, target, asRoot, meter);
      return streamOf(client, channel, meter);
    } catch (error) {
      client.end();
      if (meter.excess !== undefined) throw tooMuch(target, meter.excess);
      throw error;
    }
  });
}

/** Requests the only session of a connection. */
function execute(client: Client, target: Target, command: string): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const timer = shellTimeout(target, reject);
    client.exec(command, (error, channel) => {
      clearTimeout(timer);
      if (!error) return resolve(channel);
      // The library's message for a connection that was closed meanwhile.
      if (error.message === "No response from server") return reject(cutOff(target));
      reject(
        new NotRetriedError(
          target.label,
          `cannot start a shell: ${plainText(error.message)}`,
          "see MaxSessions and ForceCommand in its sshd_config",
        ),
      );
    });
  });
}

/** Waits until a shell answers. Rejects with the reason if there is none. */
function greeted(channel: Channel, target: Target, asRoot: boolean, meter: Meter): Promise<void> {
  channel.setEncoding("latin1");
  channel.stderr.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let output = "";
    let errors = "";
    const answer = new AnswerMeter();
    const count = (text: string) => {
      meter.carried(text.length);
      const why = answer.take(text);
      if (why === undefined) return;
      stop();
      reject(tooMuch(target, `${why} before a shell started`));
    };
    const take = (text: string) => {
      count(text);
      output = (output + text).slice(-4000);
      if (!output.includes(hail)) return;
      stop();
      resolve();
    };
    const note = (text: string) => {
      count(text);
      errors = (errors + text).slice(-4000);
    };
    const ended = () => {
      stop();
      reject(noShell(target, asRoot, `${errors}\n${output}`));
    };
    const timer = shellTimeout(target, (error) => {
      stop();
      reject(error);
    });
    const stop = () => {
      clearTimeout(timer);
      channel.off("data", take).off("close", ended);
      channel.stderr.off("data", note);
    };
    channel.on("data", take).on("close", ended);
    channel.stderr.on("data", note);
    channel.write(`printf '%s\\n' '${hail}'\n`);
  });
}

const tooMuch = (target: Target, why: string): HostError =>
  new NotRetriedError(target.label, why, "see what its sshd and the user's login shell say");

const shellTimeout = (target: Target, reject: (error: HostError) => void): NodeJS.Timeout =>
  setTimeout(
    () =>
      reject(
        new NotReachedError(
          target.label,
          `the login succeeded, but no shell started within ${shellSeconds} s`,
          "see what its sshd and the user's login shell say",
        ),
      ),
    shellSeconds * 1000,
  );

const cutOff = (target: Target): HostError =>
  new HostError(target.label, "the connection was closed before a shell had started", "see its sshd's log");

function noShell(target: Target, asRoot: boolean, text: string): HostError {
  const lines = plainLines(text);
  const last = lines.slice(-3).join(" | ");
  const waiting = lines.find((line) => notYet.test(line));
  if (waiting) return notYetUp(target, waiting);
  if (asRoot) {
    const refused = sudoRefusal(target.label, lines);
    if (refused) return refused;
  }
  // A cut link gives no reason.
  if (last === "") return cutOff(target);
  return new NotRetriedError(
    target.label,
    `the login succeeded, but the shell ended at once: ${last}`,
    "see the user's login shell, and ForceCommand in sshd_config",
  );
}

function streamOf(client: Client, channel: Channel, meter: Meter): ShellStream {
  let closed = false;
  const close = () => {
    closed = true;
    client.end();
  };
  // Output after the end counts against the connection, so that a host that goes on sending is cut off.
  const count = (text: string) => void (closed || meter.carried(text.length));
  channel.on("data", count);
  channel.stderr.on("data", count);
  client.on("error", () => channel.destroy());
  client.on("close", () => channel.destroy());
  return {
    write: (text) => void (closed || channel.write(text)),
    onOutput: (listener) => void channel.on("data", listener),
    onErrors: (listener) => void channel.stderr.on("data", listener),
    onClose: (listener) =>
      void channel.on("close", () => {
        close();
        listener(meter.excess);
      }),
    close,
  };
}
