import { z } from "zod";
import { Facts } from "../src/facts/facts.js";
import { readingJob } from "../src/host/reading.js";
import { define } from "./engine/define.js";
import { isNewConfig } from "./engine/difference.js";
import { isRollingBack } from "./engine/rolling-back.js";

/** Arguments of a HostProbe. */
export interface HostProbeArgs {
  /** Any value. A change of it checks again. Default: none, so only the creation checks. */
  triggers?: unknown;
}

const bootId = "sysctl:kernel.random.boot_id";

/** Checks that a host answers. @internal */
export const hostProbe = define({
  kind: "HostProbe",
  key: z.strictObject({}),
  config: z.strictObject({ triggers: z.unknown().default(null) }),
  onlyQueries: true,
  id: () => "probe",
  facts: () => [],
  read: (_facts, _key, want) => want,
  plan: () => [],
  async around(operation) {
    // In a rollback the others are restored, too, if this host is down.
    if (isNewConfig(operation) && !isRollingBack())
      await operation.submit(readingJob(operation.owner, [bootId]));
    return { facts: Facts.nothing() };
  },
});
