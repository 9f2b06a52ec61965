import { show } from "../values/problem.js";

/** How a real server is, as the monitor on its director sees it. */
export const serverStates = ["up", "down", "maintenance", "rising", "sorry"] as const;
export type ServerState = (typeof serverStates)[number];

/** States of servers (`192.168.10.11:80`) by service (`tcp://192.168.0.219:80`). */
export type Health = ReadonlyMap<string, ReadonlyMap<string, ServerState>>;

/** Reads what read_health (install.ts) prints. Throws on what is not of its form. */
export function parseHealth(body: string): Health {
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

/** How the agent is that checks: as it should be, or what is the matter. */
export type AgentState = "running" | "stopped" | "disabled" | "outdated" | "missing";

/** What there is of a monitor: the agent, and the monitor's file. */
export interface MonitorState {
  readonly agent: AgentState;
  readonly text: string | undefined;
}

/** Reads what read_monitor (install.ts) prints. Throws on what is not of its form. */
export function parseMonitorState(body: string): MonitorState {
  if (body === "") return { agent: "missing", text: undefined };
  const [, agent, text] = /^(running|stopped|disabled|outdated|missing)\n([\s\S]*)$/.exec(body) ?? [];
  if (agent === undefined) throw new Error(`unexpected output ${show(body)}`);
  // what came byte by byte is UTF-8
  const decoded = Buffer.from(text ?? "", "latin1").toString("utf8");
  return { agent: agent as AgentState, text: decoded === "" ? undefined : decoded.replace(/\n$/, "") };
}
