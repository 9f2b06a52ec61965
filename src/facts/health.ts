import { plainText } from "../values/foreign.js";
import { show } from "../values/problem.js";
import { fact, factOf } from "./fact.js";

/** The states of a real server that the monitor on its director reports. */
const serverStates = ["up", "down", "maintenance", "rising", "sorry"] as const;
export type ServerState = (typeof serverStates)[number];

/** States of servers (`192.168.10.11:80`) by service (`tcp://192.168.0.219:80`). */
export type Health = ReadonlyMap<string, ReadonlyMap<string, ServerState>>;

/** Reads the output of read_health (health/read.sh). Throws on text of another form. */
function parseHealth(body: string): Health {
  const health = new Map<string, Map<string, ServerState>>();
  for (const line of body.split("\n").filter(Boolean)) {
    const [service = "", server = "", state, ...more] = line.split("\t");
    if (server === "" || more.length > 0 || !serverStates.includes(state as ServerState))
      throw new Error(`not a line of health: ${show(line)}`);
    health.set(
      service,
      (health.get(service) ?? new Map<string, ServerState>()).set(server, state as ServerState),
    );
  }
  return health;
}

/** Why servers are in their states, by service and by server. A server without a reason has no entry. */
export type Reasons = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Reads the output of read_reasons (health/read.sh). Throws on text of another form. */
function parseReasons(body: string): Reasons {
  const reasons = new Map<string, Map<string, string>>();
  for (const line of body.split("\n").filter(Boolean)) {
    const [service = "", server = "", reason, ...more] = line.split("\t");
    if (server === "" || reason === undefined || more.length > 0)
      throw new Error(`not a line of health: ${show(line)}`);
    if (reason !== "")
      reasons.set(service, (reasons.get(service) ?? new Map()).set(server, plainText(reason)));
  }
  return reasons;
}

/** The states of the health agent. All but `running` are faults. */
type AgentState = "running" | "stopped" | "disabled" | "outdated" | "missing";

/** The state of the agent, and a monitor's file. */
export interface MonitorState {
  readonly agent: AgentState;
  readonly text: string | undefined;
}

/** Reads the output of read_monitor (health/read.sh). Throws on text of another form. */
function parseMonitorState(body: string): MonitorState {
  if (body === "") return { agent: "missing", text: undefined };
  const [, agent, text] = /^(running|stopped|disabled|outdated|missing)\n([\s\S]*)$/.exec(body) ?? [];
  if (agent === undefined) throw new Error(`unexpected output ${show(body)}`);
  // The text came byte by byte and is UTF-8.
  const decoded = Buffer.from(text ?? "", "latin1").toString("utf8");
  return { agent: agent as AgentState, text: decoded === "" ? undefined : decoded.replace(/\n$/, "") };
}

/** The states that the director's health monitor reports: none without a monitor. */
export const health = fact({ name: "health", parse: parseHealth, shown: "/run/pulumi-lvs/health" });

/** The reasons of these states. They may change while all else stays, so no plan depends on them. */
export const reasons = fact({
  name: "reasons",
  parse: parseReasons,
  shown: "/run/pulumi-lvs/health",
  ticks: true,
});

/** The state of the health agent, and the file of a monitor. */
export const monitor = factOf({
  name: "monitor",
  args: (file) => [file],
  parse: parseMonitorState,
  shown: (file) => `/etc/pulumi-lvs/monitor.d/${file}`,
});
