import type { TestedKind } from "./kind.js";

export const poolDrain: TestedKind = {
  right: [
    {
      service: "tcp://192.168.0.219:80",
      realServers: { "192.168.10.11:80": { timeout: 600, minimum: 5 }, "[2001:db8::11]:80": {} },
    },
    { service: "fwmark://1", realServers: {} },
  ],
};
