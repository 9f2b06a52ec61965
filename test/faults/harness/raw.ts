import type { Bag } from "../../../providers/engine/inputs.js";
import { partsOf } from "../../../providers/engine/inputs.js";
import type { Image } from "../../support/fake/tree.js";
import { definitionOf } from "./program.js";

/*
 * What a host has of one resource, read from the host's own files: the line of a table, the values of sysctls, and the
 * records of its owners. The package's own reading takes no part.
 */

const lines = (image: Image, name: string): string[] => (image[name] ?? "").split("\n").filter(Boolean);
const starting = (image: Image, name: string, start: string) =>
  lines(image, name).filter((line) => line.startsWith(start));
const files = (image: Image, pattern: RegExp): string[] =>
  Object.keys(image).filter((name) => pattern.test(name));

const flagsOf = (service: string): string => {
  const [, protocol, endpoint] = /^(\w+):\/\/(.*)$/.exec(service) as unknown as [string, string, string];
  return `${protocol === "tcp" ? "-t" : "-u"} ${endpoint} `;
};

const places = ({ interface: name, all }: Bag): string[] => (all ? ["all", String(name)] : [String(name)]);

/** Names of sysctls that a setting is about. */
function sysctls(kind: string, inputs: Bag): string[] {
  const conf = (place: string, leaf: string) => `net.ipv4.conf.${place}.${leaf}`;
  if (kind === "Sysctl") return [String(inputs.name)];
  if (kind === "ArpSuppression")
    return places(inputs).flatMap((place) => [conf(place, "arp_ignore"), conf(place, "arp_announce")]);
  if (kind === "IpForwarding") {
    const on = inputs.interfaces as string[] | null | undefined;
    return [
      "net.ipv4.ip_forward",
      ...(on ? ["all", ...on].map((place) => conf(place, "send_redirects")) : []),
    ];
  }
  return [];
}

const fileOf = (sysctl: string): string => `proc/sys/${sysctl.replaceAll(".", "/")}`;

/** The thing itself; empty where it is absent. */
export function thing(image: Image, kind: string, inputs: Bag): string[] {
  switch (kind) {
    case "VirtualService":
      return starting(
        image,
        "ipvs",
        `-A ${flagsOf(`${inputs.protocol}://${inputs.address}:${inputs.port}`)}`,
      );
    case "RealServer":
      return starting(
        image,
        "ipvs",
        `-a ${flagsOf(String(inputs.service))}-r ${inputs.address}:${inputs.port} `,
      );
    case "VirtualAddress":
      return starting(image, "addresses", `${inputs.interface} ${inputs.address}/`);
    case "HostRoute":
      return starting(image, "routes", `4 main ${String(inputs.destination).replace(/\/32$/, "")} `);
    case "KernelModule":
      return files(image, new RegExp(`^sys/module/${inputs.name}(/parameters/.*)?$`)).map(
        (name) => `${name} ${image[name] ?? "/"}`,
      );
    default:
      return sysctls(kind, inputs).map((name) => `${name} ${image[fileOf(name)]?.trim()}`);
  }
}

const drainingLines = (image: Image, { service, address, port }: Bag): string[] =>
  starting(image, "run/pulumi-lvs/draining", `${service}\t${address}:${port}\t`);

/** The traces of a server that is on its way out: quiesced, with a record of since when. */
export const quiesced = (before: string, { service, address, port }: Bag): string =>
  `${before.replace(/ -w \d+/, " -w 0")}\n${service}\t${address}:${port}\t1769860800`;

/** The thing, and every record about it. */
export function traces(image: Image, kind: string, inputs: Bag): string {
  const records = [
    ...sysctls(kind, inputs).map((name) => `sysctl.${name}`),
    ...(kind === "KernelModule" ? [`module.${inputs.name}`] : []),
    ...(kind === "IpForwarding" ? ["dragged.net.ipv4.ip_forward"] : []),
  ];
  const definition = definitionOf(kind);
  const recorded = `${kind} ${definition.id(partsOf(definition, inputs).key)}`;
  return [
    ...thing(image, kind, inputs),
    ...records.flatMap((record) =>
      Object.entries(image).flatMap(([name, text]) =>
        `${name}/`.startsWith(`run/pulumi-lvs/${record}/`)
          ? [`${name} ${(text ?? "").split("\n").sort().join(" ")}`]
          : [],
      ),
    ),
    ...lines(image, "etc/pulumi-lvs/boot")
      .filter((line) => line.split("\t")[2] === recorded)
      .sort(),
    ...(kind === "RealServer" ? drainingLines(image, inputs) : []),
  ].join("\n");
}

/** Properties of what is there, read from the same files; those that no file shows are left out. */
export function properties(image: Image, kind: string, inputs: Bag): Bag[] {
  const word = (text: string) => (text === "-" ? null : text);
  const values = (leaf: RegExp) =>
    sysctls(kind, inputs)
      .filter((name) => leaf.test(name))
      .map((name) => (image[fileOf(name)] ?? "").trim());
  return thing(image, kind, inputs)
    .slice(0, 1)
    .flatMap((line) => {
      const words = line.split(" ");
      const flag = (name: string) => words[words.indexOf(name) + 1] as string;
      switch (kind) {
        case "VirtualService":
          return [{ scheduler: flag("-s") }];
        case "RealServer":
          return [
            { weight: Number(flag("-w")), forwarding: words.includes("-m") ? "masquerading" : "gatewaying" },
          ];
        case "VirtualAddress": {
          const [, at = "", broadcast = "", label = ""] = words;
          return [
            {
              prefixLength: Number(at.split("/")[1]),
              broadcast: word(broadcast),
              label: word(label) === inputs.interface ? null : word(label),
            },
          ];
        }
        case "HostRoute":
          return [
            {
              via: word(words[3] as string),
              device: inputs.device === null ? null : words[4],
              source: word(words[5] as string),
            },
          ];
        // one value of several stands for all in state, so each of them may
        case "ArpSuppression":
          return values(/ignore/).flatMap((arpIgnore) =>
            values(/announce/).map((arpAnnounce) => ({
              arpIgnore: Number(arpIgnore),
              arpAnnounce: Number(arpAnnounce),
            })),
          );
        case "IpForwarding":
          return (inputs.interfaces ? values(/redirects/) : ["-"]).map((redirects) => ({
            enabled: values(/ip_forward/)[0] === "1",
            sendRedirects: redirects === "-" ? null : redirects === "1",
          }));
        case "Sysctl":
          return [{ value: (values(/./)[0] ?? "").replaceAll(/\s+/g, " ") }];
        default:
          return [{}];
      }
    });
}
