import { isAddress } from "../values/address.js";
import { parseService, printService } from "../values/service-address.js";

/** An address that the master of an instance has. */
interface VrrpAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly interface: string;
}

/** An instance of VRRP, as its file for keepalived has it. */
export interface VrrpSettings {
  readonly interface: string;
  readonly routerId: number;
  readonly addresses: readonly VrrpAddress[];
  readonly priority: number;
  readonly version: 2 | 3;
  readonly advertInterval: number;
  readonly peers: readonly string[];
  readonly source: string | null;
  readonly preempt: boolean;
  readonly preemptDelay: number;
  readonly trackInterfaces: readonly string[];
  readonly trackServices: readonly string[];
  readonly priorityDrop: number;
  readonly garpRefresh: number;
}

/** The first line of a file. */
const head =
  "# Written by pulumi-lvs for its VRRP instance; what is changed here by hand shows as a difference.";

/** Returns the name of an instance in keepalived, which is the name of its file, too. */
export const instanceName = (of: { interface: string; routerId: number }): string =>
  `${of.interface}-${of.routerId}`;

/** keepalived adds the number in this file to the instance's priority. `/run` always exists, and a reboot empties it. */
export const holdFile = (name: string): string => `/run/pulumi-lvs-hold-${name}`;

/**
 * With this line the other master learns of the lower priority after a split brain, and announces the addresses again.
 * Neighbours may still have our MAC address. Files of older versions lack the line.
 */
const announcing = "higher_prio_send_advert";

const block = (name: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${name} {`, ...lines.map((line) => `\t${line}`), "}"];

/**
 * Returns the command that succeeds while the health monitor has a real server of the service up. Brackets would need
 * an escape, so a dot stands for each. The file has more columns behind the state.
 */
const checkOf = (service: string): string =>
  `/bin/grep -qxE '${service.replace(/[[\]]/g, ".")}[[:blank:]][^[:blank:]]+[[:blank:]](up|rising)([[:blank:]].*)?' /run/pulumi-lvs/health`;

/**
 * Returns the file of an instance. Only the first address is in the advertisements: a director ignores those of a
 * peer with other addresses, so a change of the others must not show in them. keepalived adds and removes all of them.
 */
export function printVrrp(of: VrrpSettings): string {
  const name = instanceName(of);
  const [first, ...others] = of.addresses.map(
    ({ address, prefixLength, interface: device }) => `${address}/${prefixLength} dev ${device}`,
  );
  const scripts = of.trackServices.map((service, i) => [`${name}_${i + 1}`, service] as const);
  const lines = [
    ...scripts.flatMap(([script, service]) =>
      block(`vrrp_script ${script}`, [
        `# ${service}`,
        `script "${checkOf(service)}"`,
        "interval 2",
        // The file is away for a moment while the agent starts again.
        "fall 2",
        `weight -${of.priorityDrop}`,
        "user root",
      ]),
    ),
    // A file that does not exist counts as 0.
    ...block(`track_file ${name}`, [`file "${holdFile(name)}"`]),
    ...block(`vrrp_instance ${name}`, [
      "state BACKUP",
      `interface ${of.interface}`,
      `virtual_router_id ${of.routerId}`,
      `version ${of.version}`,
      `priority ${of.priority}`,
      `advert_int ${of.advertInterval}`,
      announcing,
      ...(of.preempt ? [] : ["nopreempt"]),
      ...(of.preemptDelay > 0 ? [`preempt_delay ${of.preemptDelay}`] : []),
      ...(of.garpRefresh > 0 ? [`garp_master_refresh ${of.garpRefresh}`] : []),
      ...(of.source === null
        ? []
        : [`${of.peers.length > 0 ? "unicast_src_ip" : "mcast_src_ip"} ${of.source}`]),
      ...block("unicast_peer", of.peers),
      ...block("track_interface", of.trackInterfaces),
      ...block(
        "track_script",
        scripts.map(([script]) => script),
      ),
      ...block("track_file", [name]),
      ...block("virtual_ipaddress", first === undefined ? [] : [first]),
      ...block("virtual_ipaddress_excluded", others),
    ]),
  ];
  // The drop has no line without a script.
  return [`${head}\n# priority drop ${of.priorityDrop}`, ...lines].join("\n");
}

const addressOf = (line: string): VrrpAddress => {
  const [address = "", prefixLength, device = ""] = line.split(/\/| dev /);
  return { address, prefixLength: Number(prefixLength), interface: device };
};

/** Returns the file as older versions wrote it. */
const printFormerVrrp = (of: VrrpSettings): string => printVrrp(of).replace(`\t${announcing}\n`, "");

/** Parses a file of `printVrrp`, also one of an older version. Returns undefined for any other text. */
export function parseVrrp(text: string): VrrpSettings | undefined {
  const open: string[] = [];
  const lists: Record<string, string[]> = Object.create(null);
  const words: Record<string, string> = Object.create(null);
  const add = (list: string, line: string) => {
    lists[list] = [...(lists[list] ?? []), line];
  };
  for (const line of text.split("\n").map((each) => each.trim())) {
    const [word = "", ...rest] = line.split(" ");
    const inside = open.at(-1);
    if (line.endsWith(" {")) open.push(word);
    else if (line === "}") open.pop();
    else if (inside === "vrrp_instance") words[word] = rest.join(" ");
    else if (inside === "vrrp_script") {
      if (word === "#") add("services", rest.join(" "));
    } else if (inside !== undefined) add(inside, line);
    else if (line.startsWith("# priority drop ")) words.drop = line.slice(16);
  }
  const { virtual_ipaddress: first = [], virtual_ipaddress_excluded: others = [] } = lists;
  const found: VrrpSettings = {
    interface: words.interface ?? "",
    routerId: Number(words.virtual_router_id),
    addresses: [...first, ...others].map(addressOf),
    priority: Number(words.priority),
    version: Number(words.version) as 2 | 3,
    advertInterval: Number(words.advert_int),
    peers: lists.unicast_peer ?? [],
    source: words.unicast_src_ip ?? words.mcast_src_ip ?? null,
    preempt: words.nopreempt === undefined,
    preemptDelay: Number(words.preempt_delay ?? 0),
    trackInterfaces: lists.track_interface ?? [],
    trackServices: lists.services ?? [],
    priorityDrop: Number(words.drop),
    garpRefresh: Number(words.garp_master_refresh ?? 0),
  };
  return isClean(found) && [printVrrp(found), printFormerVrrp(found)].includes(text) ? found : undefined;
}

/** Returns whether the addresses and services of a file are valid, because they go into state. */
const isClean = ({ peers, source, addresses, trackServices }: VrrpSettings): boolean =>
  [...peers, ...(source === null ? [] : [source]), ...addresses.map(({ address }) => address)].every(
    isAddress,
  ) &&
  trackServices.every((service) => {
    const of = parseService(service);
    return of !== undefined && printService(of) === service;
  });
