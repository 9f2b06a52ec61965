import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { Facts } from "../src/facts/facts.js";
import { readingJob } from "../src/host/reading.js";
import { define } from "./engine/define.js";
import { plain } from "./engine/inputs.js";

/** Arguments of a HostProbe. */
export interface HostProbeArgs {
  /** Any value. A change of it looks again. Default: none, so only the creation looks. */
  triggers?: unknown;
}

/**
 * The variable by which a rollback turns these probes off. It goes on with the hosts that answer, and the resources of
 * others come after the probes.
 */
export const withoutHostProbes = "PULUMI_LVS_NO_HOST_PROBES";

const bootId = "sysctl:kernel.random.boot_id";

/** A look whether a host answers. @internal */
export const hostProbe = define({
  kind: "HostProbe",
  key: z.strictObject({}),
  config: z.strictObject({ triggers: z.unknown().default(null) }),
  id: () => "probe",
  facts: () => [],
  read: (_facts, _key, want) => want,
  plan: () => [],
  async around({ verb, config, was, submit }) {
    const isChanged =
      verb === "create" || (verb === "update" && !isDeepStrictEqual(plain(was), plain(config)));
    if (isChanged && !process.env[withoutHostProbes]) await submit(readingJob("", [bootId]));
    return { facts: Facts.nothing() };
  },
});
