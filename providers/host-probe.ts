import { z } from "zod";
import { Facts } from "../src/facts/facts.js";
import { readingJob } from "../src/host/reading.js";
import { define } from "./engine/define.js";
import { isNewConfig } from "./engine/difference.js";
import { isRollingBack } from "./engine/rolling-back.js";

/** Arguments of a HostProbe. */
export interface HostProbeArgs {
  /** Any value. A change of it looks again. Default: none, so only the creation looks. */
  triggers?: unknown;
}

const bootId = "sysctl:kernel.random.boot_id";

/** A look whether a host answers. @internal */
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
    // In a rollback, a host that is down would keep what depends on its probe from being restored on the others.
    if (isNewConfig(operation) && !isRollingBack())
      await operation.submit(readingJob(operation.owner, [bootId]));
    return { facts: Facts.nothing() };
  },
});
