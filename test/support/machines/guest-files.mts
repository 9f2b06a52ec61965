import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { addresses, type HostName, hosts, interfaces, networks } from "./hosts.mts";

// the address QEMU's user network forwards to; written down, because a lease would need renewing after each loadvm
const management = "10.0.2.15/24";

// KeepConfiguration: networkd leaves addresses and routes that others add; no gateway and no DNS anywhere
const networkFile = (match: string, address: string): string =>
  [
    "[Match]",
    match,
    "[Network]",
    `Address=${address}`,
    "IPv6AcceptRA=no",
    "KeepConfiguration=yes",
    "ConfigureWithoutCarrier=yes",
    "IgnoreCarrierLoss=yes",
    "",
  ].join("\n");

const bare = (address: string) => address.replace(/\/.*/, "");

const hostsFile = (): string =>
  ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
    .concat(
      hosts.map((host) => `${bare(addresses[host].outside ?? "127.0.1.1")} ${host}`),
      "",
    )
    .join("\n");

// a card without an address gets no file and stays down: the client must not hear the inside network
const networkFiles = (host: HostName): [string, string][] =>
  networks.flatMap((network): [string, string][] => {
    const [card, address] = [interfaces[network], addresses[host][network]];
    if (!address) return [];
    return [
      [`etc/systemd/network/20-${host}-${card}.network`, networkFile(`Name=${card}\nHost=${host}`, address)],
    ];
  });

// what depends on names and addresses
const written = (): [string, string][] => [
  ["etc/hosts", hostsFile()],
  ["etc/systemd/network/10-eth0.network", networkFile("Name=eth0", management)],
  ...hosts.flatMap(networkFiles),
];

// User-Mode Linux has other names for cards. The state, which ip shows, is the one of cards that know of their carrier. Cards
// are up early, as duplicate address detection takes two seconds; the client's second one stays down
const cardsFile = (host: HostName): string =>
  ["eth0", ...networks.map((network) => interfaces[network])]
    .flatMap((card, n) => {
      const network = networks.find((each) => interfaces[each] === card);
      const up = network === undefined || addresses[host][network] ? [`link set ${card} up`] : [];
      return [`link set vec${n} name ${card}`, `link set ${card} state up`, ...up];
    })
    .concat("")
    .join("\n");

/** Every file that every image gets on top of Debian's packages, or only those of User-Mode Linux, as path and text. */
export const guestFiles = async (kind: "guest" | "guest-uml"): Promise<Map<string, string>> => {
  const guestDir = path.join(import.meta.dirname, kind);
  const cards = hosts.map((host): [string, string] => [`etc/lab-cards/${host}`, cardsFile(host)]);
  const files = new Map(kind === "guest" ? written() : cards);
  const found = await readdir(guestDir, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((each) => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    files.set(path.relative(guestDir, file), await readFile(file, "utf8"));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
};
