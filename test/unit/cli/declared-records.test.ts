import { expect, test, vi } from "vitest";
import { DeclaredFacts } from "../../../cli/plan/declared-facts.js";
import { DeclaredHost } from "../../../cli/plan/declared-host.js";
import { parseLedger } from "../../../src/facts/ledger.js";

const service = "tcp://192.168.0.219:80";
const line = (n: number, of = service) =>
  `60\tobject\tRealServer ${of}/192.168.10.${n}:80\tp/s/${n}\tserver\t-w\t1`;
const thingsOf = (host: DeclaredHost) =>
  new DeclaredFacts(host)
    .ledger()
    .below(`RealServer ${service}`)
    .map(({ thing }) => thing.split("/").at(-1));

test("a plan knows the records below a service, after commands and after a reading", () => {
  const host = new DeclaredHost();
  host.apply(["record", "persistent", line(1), line(2), line(3, "tcp://192.168.0.219:443")]);
  host.apply(["record", "untilReboot", line(4)]);
  host.apply(["erase", "persistent", line(1)]);
  expect(thingsOf(host)).toEqual(["192.168.10.2:80", "192.168.10.4:80"]);
  host.putRecords(parseLedger(`restored\n--\n${line(7)}\n\n--\n`).records);
  expect(thingsOf(host)).toEqual(["192.168.10.7:80"]);
  expect([...host.records.values()].map(({ owner }) => owner)).toEqual(["p/s/7"]);
});

test("a plan finds the records below a service without a look at all others", () => {
  const host = new DeclaredHost();
  host.apply(["record", "persistent", ...Array.from({ length: 200 }, (_, n) => line(n))]);
  const all = vi.spyOn(host.records, "values");
  expect(thingsOf(host)).toHaveLength(200);
  expect(all).not.toHaveBeenCalled();
});
