import { z } from "zod";
import type { Timeouts } from "../src/facts/ipvs-lists.js";
import { step } from "../src/host/step.js";
import { ranks } from "../src/values/ranks.js";
import { define } from "./engine/define.js";
import { hasClaim } from "./engine/settings.js";

/** Arguments of an IpvsTimeouts. */
export interface IpvsTimeoutsArgs {
  /**
   * Seconds, 1-2678400 (31 days), to remember an idle TCP connection (ipvsadm(8), --set). Default 900, the
   * kernel's.
   */
  tcp?: number | undefined;
  /**
   * Seconds, 1-2678400, to remember a TCP connection after one side has ended it with FIN (ipvsadm(8), --set).
   * Default 120, the kernel's.
   */
  tcpFin?: number | undefined;
  /**
   * Seconds, 1-2678400, within which UDP packets count as one connection (ipvsadm(8), --set). Default 300, the
   * kernel's.
   */
  udp?: number | undefined;
}

// As in ipvsadm, for which 0 means unchanged.
const seconds = z.number().int().min(1).max(2678400);

/** @internal */
export const config = z.strictObject({
  tcp: seconds.default(900),
  tcpFin: seconds.default(120),
  udp: seconds.default(300),
});

const claim = "timeouts";

const wordsOf = ({ tcp, tcpFin, udp }: Timeouts) => [tcp, tcpFin, udp].map(String);

/**
 * Timeouts of a director's connections, as a setting. `ipvsadm -Ln --timeout` shows them, `--set` changes
 * them. @internal
 */
export const ipvsTimeouts = define({
  kind: "IpvsTimeouts",
  key: z.strictObject({}),
  config,
  setting: true,
  rank: ranks.table,
  conflicts: () => true,
  id: () => "ipvs-timeouts",
  facts: () => ["timeouts", `found:${claim}`],
  read: (facts) => facts.timeouts(),

  record: (_key, config) => ["timeouts", ...wordsOf(config)],

  plan(_key, want, _have, view) {
    const now = view.facts.timeouts();
    const isClaimed = hasClaim(view, claim);
    if (!want)
      return isClaimed
        ? [step(["restore_timeouts", claim], now ? ["retake_timeouts", claim, ...wordsOf(now)] : null)]
        : [];
    const claiming = step(["claim_timeouts", claim], ["restore_timeouts", claim]);
    const [words, before] = [wordsOf(want), now && wordsOf(now)];
    const isRight = words.join() === before?.join();
    const set = step(["ipvsadm", "--set", ...words], before ? ["ipvsadm", "--set", ...before] : null);
    return [...(isClaimed ? [] : [claiming]), ...(isRight ? [] : [set])];
  },
});
