import { addressBits, familyOf } from "../../src/values/address.js";
import type { VrrpSettings } from "../../src/vrrp/instance.js";

/** Fields as declared. In a preview some of them may be unknown. */
type Declared = Partial<Pick<VrrpSettings, "version">> & {
  advertInterval?: number | undefined;
  addresses?: {
    address: string;
    prefixLength?: number | undefined;
    interface?: string | undefined;
  }[];
};

/**
 * Seconds between two advertisements, by version. A backup of any priority takes over after at most four of them, and
 * with version 3 that is less than 3 s. Version 2 has whole seconds only.
 */
const intervals = { 2: 1, 3: 0.7 };

/** Fills in the defaults that depend on other fields, in place. @internal */
export function fillVrrpDefaults(key: { interface: string }, config: Declared): void {
  for (const one of config.addresses ?? []) {
    one.prefixLength ??= addressBits(familyOf(one.address));
    one.interface ??= key.interface;
  }
  if (config.version) config.advertInterval ??= intervals[config.version];
}
