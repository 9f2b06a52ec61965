import { type HostName, hosts, run } from "../../test/support/machines/lab.mts";
import { Failure } from "./failure.mts";
import { show, step, styled } from "./output.mts";

/** Lines by section, such as `sysctls`. */
type State = Map<string, string[]>;

/** What hosts looked like at one time. */
export type HostStates = ReadonlyMap<HostName, State>;

// ipvsadm loads ip_vs if it runs first, so it is not
const stateScript = `
section() { echo "== $*"; }
section modules; cut -d' ' -f1 /proc/modules | sort
section addresses; ip addr
section routes; ip -4 route show table all; ip -6 route show table all; ip -4 rule; ip -6 rule
section sysctls; sysctl -a 2> /dev/null
section IPVS table; [ ! -e /proc/net/ip_vs ] || ipvsadm -Sn
section /etc; find /etc -printf '%p %M %u:%g %l\\n' | sort; find /etc -type f -exec cksum {} + | sort
section /run/pulumi-lvs; [ ! -e /run/pulumi-lvs ] || find /run/pulumi-lvs | sort
`;

/** Sysctls that change by themselves, and why. */
const restless = [
  "fs.dentry-state", // names that the file system cache holds
  "fs.file-nr", // files open now
  "fs.inode-nr", // inodes in the cache
  "fs.inode-state", // the same, with more figures
  "kernel.ns_last_pid", // number of the newest process
  "kernel.pty.nr", // terminals open now
  "kernel.random.entropy_avail", // bits collected
  "kernel.random.uuid", // a new one at each reading
  "kernel.tainted", // a soft lockup, where an emulated processor got no time
];

const parse = (text: string): State => {
  const state: State = new Map();
  let lines: string[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("== ")) {
      lines = [];
      state.set(line.slice(3), lines);
    } else if (!restless.some((name) => line.startsWith(`${name} = `))) lines.push(line);
  }
  return state;
};

/** Looks at modules, addresses, routes, sysctls, IPVS table, /etc and our own notes on every host, past our own code. */
export const readHosts = async (): Promise<HostStates> =>
  new Map(
    await Promise.all(
      hosts.map(async (host) => [host, parse((await run(host, stateScript)).stdout)] as [HostName, State]),
    ),
  );

const differences = (before: State, after: State): string[] =>
  [...after].flatMap(([section, now]) => {
    const then = before.get(section) ?? [];
    const [gone, come] = [new Set(then), new Set(now)];
    return [
      ...then.filter((line) => !come.has(line)).map((line) => `${section}: - ${line}`),
      ...now.filter((line) => !gone.has(line)).map((line) => `${section}: + ${line}`),
    ];
  });

/** Shows that every host is as it was, or throws with what differs. */
export const compareHosts = async (before: HostStates): Promise<void> => {
  const after = await step("look at the hosts again", readHosts);
  const found: string[] = [];
  for (const [host, now] of after) {
    const lines = differences(before.get(host) ?? new Map(), now).map((line) => `${host}: ${line}`);
    const looked = [...now.values()].flat().length;
    const result = lines.length === 0 ? styled("green", "as before") : styled("red", "different");
    show([`${host.padEnd(10)}${result}   ${looked} lines compared`]);
    found.push(...lines);
  }
  show([`of: ${[...(after.get("director") ?? new Map()).keys()].join(", ")}`]);
  if (found.length > 0) throw new Failure("the hosts are not as they were", found);
};
