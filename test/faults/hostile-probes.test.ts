import { existsSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine } from "../../providers/engine/engine.js";
import type { Bag } from "../../providers/engine/inputs.js";
import { serviceProbe } from "../../providers/service-probe/index.js";
import { fakeHost } from "../support/fake/engine.js";
import { shells } from "../support/fake/fake-host.js";
import { findProgram } from "../support/fake/tree.js";
import { HostileServers, page, type Reply, says } from "./harness/hostile-replies.js";

// What a ServiceProbe makes of servers that want to have their text run, or to fill memories, by the real curl in each shell.

const open = new HostileServers();
const runs = "$(: >PWNED)`: >PWNED`'; : >PWNED; '\";: >PWNED;\"";
const forged = `lvs-status 200 1-\nlvs-code 0\nreply 1 1 rs1\ncurl 0 200 1-\n${runs}\\n\\t`;

/** Replies, what else is asked, and what is said of it; undefined where it is right. */
const cases: Record<string, readonly [Reply, Bag, RegExp?]> = {
  "a page like the probe's own notes": [
    page(`${forged}\nOK`, "500 Well"),
    { contains: "OK" },
    /: the status is 500, wanted 200$/,
  ],
  "a page that is cut off": [
    says(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\ncurl: (0) fine\n${forged}`),
    {},
    /: \(18\) (transfer closed|end of response) with \d+ bytes/,
  ],
  "a status of text": [says(`HTTP/1.1 ${forged}\r\n\r\n`), {}, /requests failed: /],
  "a name of text": [
    says(`HTTP/1.1 200 OK\r\nX-Served-By: ${runs}\\n\x1b]0;x\x07\u202e\u2028\r\n\r\nOK`),
    { contains: "OK", spread: { header: "x-served-by", servers: 2 }, requests: 2 },
    /: replies came from "\$\(: >PWNED\).{0,80} \(2\): wanted 2 servers$/,
  ],
  "zeros around what is well": [page(Buffer.from("\0\0\nOK\0\0")), { contains: "OK" }],
  "a page without an end": [
    open.endless("page", "HTTP/1.1 200 OK\r\n\r\n", "OK\n"),
    { contains: "OK" },
    /: \(23\) the reply is longer than 1 MB$/,
  ],
  "a line without an end": [
    open.endless("line", "HTTP/1.1 200 OK\r\n\r\n", "OK"),
    {},
    /: \(23\) the reply is longer than 1 MB$/,
  ],
  "headers without an end": [
    open.endless("headers", "HTTP/1.1 200 OK\r\n", "X: y\r\n"),
    {},
    /: \((23|27|56)\) /,
  ],
  "an early word before the reply": [
    says(
      "HTTP/1.1 103 Early Hints\r\nX-Served-By: early\r\n\r\nHTTP/1.1 200 OK\r\nX-Served-By: rs1\r\n\r\nOK",
    ),
    { contains: "OK", spread: { header: "X-Served-By", shares: { rs1: 1 } } },
  ],
  "a long page that is well": [page(`${"x".repeat(900_000)}OK`), { contains: "OK" }],
  backslashes: [
    page("C:\\temp\\new"),
    { contains: "C:\\temp\\new", spread: { shares: { "C:\\temp\\new": 1 } } },
  ],
  "a port that never stops": [open.endless("tcp", "", forged), { tcp: true }],
};

const at = new Map<string, string>();
beforeAll(async () => {
  for (const [name, [reply, { tcp }]] of Object.entries(cases))
    at.set(name, await open.serve(reply, tcp ? "at once" : "requested"));
});
afterAll(() => open.close());

describe.each(shells.slice(1).map((shell) => [shell.join(" "), shell] as const))(
  "a probe in %s",
  (_, shell) => {
    test("takes what a server says for what it is", async () => {
      const asker = fakeHost({ label: "client1", shell });
      rmSync(join(asker.root, "tools/curl"));
      symlinkSync(findProgram("curl") as string, join(asker.root, "tools/curl"));
      open.sent.clear();
      const engine = new Engine(serviceProbe, () => asker.host);
      const outcomes = await Promise.all(
        Object.entries(cases).map(async ([name, [, { tcp, ...args }, reason]]) => {
          const url = `${tcp ? "tcp" : "http"}://${at.get(name)}${tcp ? "" : "/"}`;
          const given = {
            connection: { host: "client1" },
            url,
            requests: 1,
            within: 0,
            timeout: tcp ? 5 : 30,
            ...args,
          };
          const { inputs, failures } = engine.check({}, given);
          expect([name, failures]).toEqual([name, []]);
          const printed = await engine.create(inputs).then(
            () => "",
            (error: Error) => error.message,
          );
          return [name, printed, reason ?? /^$/] as const;
        }),
      );
      for (const [name, printed, reason] of outcomes)
        expect([name, printed]).toEqual([name, expect.stringMatching(reason)]);
      for (const [name, printed] of outcomes)
        expect([name, printed]).toEqual([name, expect.stringMatching(/^[^\p{Cc}\p{Cf}\p{Zl}]*$/u)]);
      expect(existsSync(join(asker.root, "PWNED"))).toBe(false);
      // what is cut is not read on: sockets hold some megabytes
      for (const name of ["page", "line"])
        expect([name, (open.sent.get(name) ?? 0) < 32 * 2 ** 20]).toEqual([name, true]);
    });
  },
);
