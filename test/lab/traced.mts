import { type HostName, run } from "../support/machines/lab.mts";

const trace = "/tmp/lvs-trace";
const begin = "/usr/local/lib/lvs-trace";

// Stands before the real shell. What scripts read from a command's error output stays as it is, because the trace has a
// descriptor of its own.
const shell = `#!/bin/bash
exec 19>>${trace}
BASH_ENV=${begin} exec /bin/bash "$@"
`;
const tracing = `unset BASH_ENV; BASH_XTRACEFD=19; PS4="+ "; set -o posix; set -x
`;

/** Puts a shell that traces what it runs before that of the hosts, for connections from now on. */
export async function traceShells(hosts: readonly HostName[]): Promise<void> {
  for (const host of hosts)
    await run(
      host,
      `cat >${begin} <<'EOF'\n${tracing}EOF\ncat >/usr/local/bin/sh <<'EOF'\n${shell}EOF
chmod +x /usr/local/bin/sh; : >${trace}; sync`,
    );
}

/** Returns the words of a traced command, without the quotes that the shell prints. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|\\(.)/g, (_, quoted: string | undefined, one = "") => quoted ?? one),
  );

// Steps that are functions of ours, as a plan says it.
const writes: Readonly<Record<string, (...args: string[]) => string>> = {
  put_file: (file, value) => `writing ${value} to ${file}`,
  restore_file: (_claim, file) => `restoring the value of ${file}`,
  restore_dragged: (claim) => `restoring the values in /run/pulumi-lvs/${claim}/found`,
  announce: (device, address) => `arping -q -U -c 1 -I ${device} ${address}`,
};

/** Returns whether a command changes the host. Modules that go along with another have no line in a plan. */
const changes = (text: string): boolean =>
  /^(ipvsadm|ip|modprobe|rmmod) /.test(text) &&
  !/^ipvsadm (-Sn|-Ln|--restore)|^ip .*\bshow\b|^modprobe (-q|--show-depends) |^rmmod (?!ip_vs$)/.test(text);

/** Returns what the traced shell of a host ran since the last call, as a plan shows lines. */
export async function tracedLines(host: HostName): Promise<string[]> {
  const { stdout } = await run(host, `cat ${trace}; : >${trace}`);
  const commands = stdout
    .split("\n")
    .filter((line) => /^\++ /.test(line))
    .map((line) => wordsOf(line.replace(/^\++ /, "")));
  return commands.flatMap(([first = "", ...rest], i) => {
    if (first !== "step") {
      const text = (first === "exec" ? rest : [first, ...rest]).join(" ");
      return changes(text) ? [text] : [];
    }
    const [name = "", ...args] = rest;
    const write = Object.hasOwn(writes, name) ? writes[name] : undefined;
    if (!write) return [];
    const end = commands.findIndex(([word], j) => j > i && word === "step");
    const within = commands.slice(i, end < 0 ? undefined : end);
    // The last release of a claim forgets it, and no other restores a value.
    const isKept = name.startsWith("restore_") && !within.some(([word]) => word === "forget");
    const text = write(...args);
    // Announcements go on in the background, so one counts by its step.
    const isDone = !text.startsWith("arping ") || stdout.includes(`+ ${text}\n`);
    return isKept || !isDone ? [] : [text];
  });
}
