/** The four machines of the tutorial: who they are and where they sit. */
export const hosts = ["client", "director", "rs1", "rs2"] as const;

/** Name of a lab machine. */
export type HostName = (typeof hosts)[number];

/** The two Ethernets between the machines; neither touches the network of this computer. */
export const networks = ["outside", "inside"] as const;
export type NetworkName = (typeof networks)[number];

/** Where each network comes out in every machine. */
export const interfaces: Record<NetworkName, string> = { outside: "eth1", inside: "eth2" };

/** Address on each network, with its prefix length; the client has none inside. */
export const addresses: Record<HostName, Partial<Record<NetworkName, string>>> = {
  client: { outside: "192.168.0.100/24" },
  director: { outside: "192.168.0.200/24", inside: "192.168.10.10/24" },
  rs1: { outside: "192.168.0.221/24", inside: "192.168.10.11/24" },
  rs2: { outside: "192.168.0.222/24", inside: "192.168.10.12/24" },
};

/** Machines that serve pages from the start. */
export const webServers: readonly HostName[] = ["rs1", "rs2"];

/** MAC address that tells host and interface: …:02:01 is eth1 of the second host. */
export const mac = (host: HostName, card: number): string =>
  `52:54:00:4c:0${hosts.indexOf(host) + 1}:0${card}`;
