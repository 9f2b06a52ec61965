import { expect, test } from "vitest";
import { parseConnections } from "../../../src/facts/connections.js";

const heading = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn 
  -> RemoteAddress:Port
`;

test("what ipvsadm 1.31 prints is read", () => {
  const text = `${heading}TCP  192.168.0.219:80 wlc persistent 300
  -> 192.168.10.11:80             1         2           3          4         
  -> 192.168.10.12:80             0         0           0          0         
UDP  192.168.0.219:53 rr ops
TCP  [2001:db8::1]:443 sh (sh-fallback)
  -> [2001:db8:1234:5678:9abc:def0:1234:5678]:443 1         0           1          0         
  -> [2001:db8:0:0:0:0:0:11]:443  1         0           1          0         
FWM  10 wlc
  -> 192.168.10.11:0              1         0           7          0         
FWM  10 IPv6 wlc
SCTP 192.168.0.219:9 wlc
FWM  -294967296 wlc
`;
  const table = parseConnections(text);
  expect([...table.keys()]).toEqual([
    "tcp://192.168.0.219:80",
    "udp://192.168.0.219:53",
    "tcp://[2001:db8::1]:443",
    "fwmark://10",
    "fwmark://10/ipv6",
    "sctp://192.168.0.219:9",
    "fwmark://-294967296",
  ]);
  expect([...(table.get("tcp://192.168.0.219:80") ?? [])]).toEqual([
    ["192.168.10.11:80", { persistent: 2, active: 3, inactive: 4 }],
    ["192.168.10.12:80", { persistent: 0, active: 0, inactive: 0 }],
  ]);
  expect([...(table.get("tcp://[2001:db8::1]:443")?.keys() ?? [])]).toEqual([
    "[2001:db8:1234:5678:9abc:def0:1234:5678]:443",
    "[2001:db8::11]:443",
  ]);
  expect(parseConnections("").size).toBe(0);
});

test.each([
  "  -> 192.168.10.11:80             1         2           3          4",
  "TCP  192.168.0.219:80 wlc\n  -> 192.168.10.11:80             Masq    1      0          0",
  "TCP  192.168.0.219:80 wlc\n  -> 192.168.10.11:80             1         2           3",
  "TCP  192.168.0.219:80 wlc\nTCP  192.168.0.219:80 wlc",
  "TCP  web:http wlc",
  "Segmentation fault",
])("what is no such line is refused: %s", (text) => {
  expect(() => parseConnections(`${heading}${text}\n`)).toThrow(
    /^not a line of ipvsadm -Ln --persistent-conn: /,
  );
});
