import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { type Bag, checkInputs, partsOf } from "../../../providers/engine/inputs.js";
import { realServer } from "../../../providers/real-server/index.js";
import { virtualService } from "../../../providers/virtual-service/index.js";
import { Facts } from "../../../src/facts/facts.js";
import { netmaskBits, netmaskText, parseIpvsTable } from "../../../src/facts/ipvs-table.js";
import { commandLine } from "../../../src/shell/quote.js";
import { destination, ipAddress } from "../../../src/values/address.js";
import { parseService, printService } from "../../../src/values/service-address.js";
import { sysctlValue } from "../../../src/values/sysctl-name.js";
import { address, ipv4, keyOf, network4, service } from "../../support/arbitraries.js";
import { connection } from "../../support/fake/engine.js";
import { shells } from "../../support/fake/fake-host.js";
import { tally } from "../../support/tally.js";

describe("print and parse are inverses", () => {
  const law = <T>(title: string, generated: fc.Arbitrary<T>, holds: (value: T) => void) =>
    test(title, (context) => {
      const cases = tally(context, "laws");
      fc.assert(
        fc.property(generated, (value) => {
          cases.tried();
          holds(value);
          cases.held();
        }),
        { numRuns: 1000 },
      );
    });

  law("for service addresses", service, (given) => {
    expect(parseService(printService(given))).toEqual(given);
  });

  law("for addresses, whose canonical text stays as it is", fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const once = ipAddress.parse(text);
    expect(ipAddress.parse(once)).toBe(once);
  });

  law(
    "for destinations of routes, whose canonical text stays as it is",
    fc.oneof(
      fc.constant("default"),
      fc.tuple(fc.nat(2 ** 32 - 1), fc.nat(32)).map(([n, bits]) => network4(n, bits)),
      fc
        .tuple(fc.nat(0xffff), fc.integer({ min: 16, max: 128 }))
        .map(([n, bits]) => `${n.toString(16)}::/${bits}`),
      address,
    ),
    (text) => {
      const once = destination.parse(text);
      expect(destination.parse(once)).toBe(once);
      expect(once).toMatch(/^default$|\/\d+$/);
    },
  );

  law("for netmasks of IPv4", fc.integer({ min: 1, max: 32 }), (bits) => {
    expect(netmaskBits(netmaskText(bits, "ipv4"), "ipv4")).toBe(bits);
  });
  law("for netmasks of IPv6", fc.integer({ min: 1, max: 128 }), (bits) => {
    expect(netmaskBits(netmaskText(bits, "ipv6"), "ipv6")).toBe(bits);
  });

  law(
    "for tables: what is added to a director is what is found there",
    fc.uniqueArray(fc.tuple(service, fc.uniqueArray(ipv4, { maxLength: 3 })), {
      selector: ([of]) => printService(of),
      maxLength: 6,
    }),
    (all) => {
      const lines = all.flatMap(([of, servers]) => {
        const own = printService(of);
        const [add] = stepsOf(virtualService, keyOf(of), {});
        return [
          add,
          ...servers.map(
            (rip) =>
              stepsOf(
                realServer,
                { service: own, address: rip, port: 80 },
                { forwarding: "masquerading" },
              )[0],
          ),
        ];
      });
      const text = lines.map((argv) => `${(argv as string[]).slice(1).join(" ")}\n`).join("");
      const table = parseIpvsTable(text);
      expect([...table.keys()]).toEqual(all.map(([of]) => printService(of)));
      for (const [of, servers] of all) {
        expect([...(table.get(printService(of))?.realServers.keys() ?? [])]).toEqual(
          servers.map((rip) => `${rip}:80`),
        );
      }
    },
  );
});

// objects look at nothing but have and want
const nowhere = { facts: new Facts(new Map()), owner: "p/s/n", persist: true };

/** Commands that create what is not there. */
function stepsOf(definition: Definition, key: Bag, config: Bag): string[][] {
  const { inputs } = checkInputs(definition, { connection, ...key, ...config });
  const parts = partsOf(definition, inputs);
  return definition.plan(parts.key, parts.config, undefined, nowhere).map(({ run }) => [...run]);
}

test.each(shells)("a command line says exactly the words it was made from, to %s", (program, ...args) => {
  const word = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("\0", ""));
  const all = fc.sample(fc.array(word, { minLength: 1, maxLength: 10 }), 300);
  const script = all.map((argv) => `printf '%s\\0' ${commandLine(argv)}\n`).join("");
  const heard = execFileSync(program as string, args, { input: script, maxBuffer: 2 ** 24 });
  // a lone surrogate has no UTF-8 of its own
  expect(heard.toString()).toBe(
    Buffer.from(all.flatMap((argv) => argv.map((one) => `${one}\0`)).join("")).toString(),
  );
});

test("a value of several numbers is the same however its blanks are written", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(" ", "\t", "  "),
      (numbers, blank) => {
        expect(sysctlValue(` ${numbers.join(blank)}\n`)).toBe(numbers.join(" "));
      },
    ),
  );
});
