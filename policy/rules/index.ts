import type { Rule } from "../rule.js";
import { arpSuppression } from "./arp-suppression.js";
import { healthMonitor } from "./health-monitor.js";
import { hostKey } from "./host-key.js";
import { lastServerProtected } from "./last-server-protected.js";
import { memberWithWeight } from "./member-with-weight.js";
import { persistence } from "./persistence.js";
import { removedWeight } from "./removed-weight.js";

/** All rules. Each has a configuration of its own. */
export const rules: readonly Rule[] = [
  memberWithWeight,
  healthMonitor,
  removedWeight,
  lastServerProtected,
  arpSuppression,
  hostKey,
  persistence,
];
