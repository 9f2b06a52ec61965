import { ipAddress } from "../values/address.js";
import { show } from "../values/problem.js";
import { fact } from "./fact.js";

// Readers of what `ipvsadm -Ln` prints of the whole director.

/** Seconds for which the kernel remembers a connection, by its state. */
export interface Timeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/**
 * Reads the output of `ipvsadm -Ln --timeout`. Returns undefined if it is empty, and throws on any other
 * text.
 */
export function parseTimeouts(text: string): Timeouts | undefined {
  if (text === "") return undefined;
  const [, tcp, tcpFin, udp] = /^Timeout \(tcp tcpfin udp\): (\d+) (\d+) (\d+)\n$/.exec(text) ?? [];
  if (udp === undefined) throw new Error(`not what ipvsadm -Ln --timeout prints: ${show(text)}`);
  return { tcp: Number(tcp), tcpFin: Number(tcpFin), udp: Number(udp) };
}

/** A running sync daemon. */
export interface Daemon {
  readonly state: "master" | "backup";
  readonly mcastInterface: string;
  readonly syncid: number;
  readonly syncMaxlen: number;
  readonly mcastGroup: string;
  readonly mcastPort: number;
  readonly mcastTtl: number;
}

const daemonLine =
  /^(master|backup) sync daemon \(mcast=([!-~]+), syncid=(\d+), maxlen=(\d+), group=(\S+), port=(\d+), ttl=(\d+)\)$/;

/** Reads the output of `ipvsadm -Ln --daemon`. Throws on a line of another form. */
export function parseDaemons(text: string): readonly Daemon[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, state, mcastInterface, syncid, maxlen, group, port, ttl] = daemonLine.exec(line) ?? [];
      const mcastGroup = ipAddress.safeParse(group);
      if (mcastInterface === undefined || !mcastGroup.success)
        throw new Error(`not a line of ipvsadm -Ln --daemon: ${show(line)}`);
      return {
        state: state as Daemon["state"],
        mcastInterface,
        syncid: Number(syncid),
        syncMaxlen: Number(maxlen),
        mcastGroup: mcastGroup.data,
        mcastPort: Number(port),
        mcastTtl: Number(ttl),
      };
    });
}

/** The director's timeouts, or undefined if the module is not loaded. */
export const timeouts = fact({ name: "timeouts", parse: parseTimeouts, shown: "`ipvsadm -Ln --timeout`" });

/** The running sync daemons. */
export const daemons = fact({ name: "daemons", parse: parseDaemons, shown: "`ipvsadm -Ln --daemon`" });
