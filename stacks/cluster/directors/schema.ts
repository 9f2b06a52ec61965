import { z } from "zod";
import { common as everyResource } from "../../../providers/engine/inputs.js";
import * as ipvsTimeouts from "../../../providers/ipvs-timeouts.js";
import * as syncDaemons from "../../../providers/sync-daemon.js";
import * as virtualAddress from "../../../providers/virtual-address.js";
import * as vrrpInstance from "../../../providers/vrrp-instance/index.js";
import { connection } from "../../../src/ssh/connection.js";
import { hostAddress, interfaceName } from "../../../src/values/address.js";
import { fieldsOf } from "../as-given.js";
import { name, sysctls } from "../machine-schema.js";

const { alongside } = fieldsOf(z.strictObject(everyResource));

const common = {
  connection,
  alongside,
  timeouts: z.strictObject(fieldsOf(ipvsTimeouts.config)).optional(),
  sysctls,
};

/** The only director of a cluster. @internal */
export const director = z.strictObject({
  ...common,
  ...fieldsOf(virtualAddress.key, "interface"),
  syncDaemon: z.strictObject({ ...fieldsOf(syncDaemons.key), ...fieldsOf(syncDaemons.config) }).optional(),
});

/** One of several directors. @internal */
export const directorMember = z.strictObject({
  ...common,
  name: name.optional(),
  interface: interfaceName.optional(),
  address: hostAddress.optional(),
  mcastInterface: interfaceName.optional(),
});

/** The interface of a director of LVS/NAT on the side of the real servers. @internal */
export const inside = { insideInterface: interfaceName.optional() };

/** Returns the schema of `directors`. @internal */
export const listed = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(8).optional();

/** How VIPs move. @internal */
export const vrrp = z.strictObject({
  ...fieldsOf(vrrpInstance.key, "routerId"),
  ...fieldsOf(
    vrrpInstance.config,
    ...(["version", "advertInterval", "preempt", "preemptDelay", "trackInterfaces", "garpRefresh"] as const),
  ),
  trackServices: z.boolean().optional(),
});

const { address, prefixLength } = vrrpInstance.config.shape.addresses.element.shape;

/** The inside addresses that move with the VIPs. @internal */
export const gateways = z
  .array(z.union([address, z.strictObject({ address, prefixLength })]))
  .min(1)
  .max(2);

/** The sync daemons of each director. @internal */
export const sync = z.strictObject(fieldsOf(syncDaemons.config));
