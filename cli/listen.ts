import type { automation } from "@pulumi/pulumi";

type Listen = (event: automation.EngineEvent) => void;

/** The part of the Automation API with which it receives events. It is not in its types. */
interface Listener {
  setupEventLog?(
    command: string,
    listen: Listen,
    version: string,
  ): Promise<{ logFile: string; server?: { forceShutdown(): void } }>;
}

/**
 * Returns the flag and the variable by which a run of the CLI sends its events here. It is never a file, because
 * the engine's debug events show secrets in clear text.
 */
export async function listening(
  stack: automation.Stack,
  listen: Listen,
): Promise<{ args: string[]; env: Record<string, string>; close: () => void }> {
  const { setupEventLog } = stack as unknown as Listener;
  const made = await setupEventLog?.call(stack, "up", listen, stack.workspace.pulumiVersion);
  if (!made?.server)
    throw new Error(
      "cannot follow the update: this version of Pulumi reports no events; install Pulumi 3.216 or newer, CLI and SDK",
    );
  const { logFile, server } = made;
  return {
    args: ["--event-log", logFile],
    // Without the variable the CLI rejects the flag.
    env: { PULUMI_DEBUG_COMMANDS: "true" },
    close: () => server.forceShutdown(),
  };
}
