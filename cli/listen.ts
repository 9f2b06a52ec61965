import type { automation } from "@pulumi/pulumi";

type Listen = (event: automation.EngineEvent) => void;

/** The part of the Automation API by which it listens itself; it is not in its types. */
interface Listener {
  setupEventLog?(
    command: string,
    listen: Listen,
    version: string,
  ): Promise<{ logFile: string; server?: { forceShutdown(): void } }>;
}

/**
 * An address to which a run of the CLI tells its events (`--event-log`). Never a file: the engine's debugging events show
 * secrets in clear.
 */
export async function listening(
  stack: automation.Stack,
  listen: Listen,
): Promise<{ address: string; close: () => void }> {
  const { setupEventLog } = stack as unknown as Listener;
  const made = await setupEventLog?.call(stack, "up", listen, stack.workspace.pulumiVersion);
  if (!made?.server)
    throw new Error(
      "this version of Pulumi tells nobody what it does; install Pulumi 3.216 or newer, CLI and SDK",
    );
  const { logFile, server } = made;
  return { address: logFile, close: () => server.forceShutdown() };
}
