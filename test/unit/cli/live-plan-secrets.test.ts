import type { automation } from "@pulumi/pulumi";
import { beforeEach, expect, test, vi } from "vitest";
import { livePlanOf } from "../../../cli/plan/plan.js";
import { reaching } from "../../../cli/plan/reaching.js";
import { stateOf } from "../../../rollback/pulumi-cli.js";
import { hostOf } from "../../../src/host/host.js";
import { fakeHost } from "../../support/fake/engine.js";

vi.mock(import("../../../rollback/pulumi-cli.js"), async (original) => ({
  ...(await original()),
  stateOf: vi.fn(),
}));
vi.mock(import("../../../src/host/host.js"), async (original) => ({
  ...(await original()),
  hostOf: vi.fn(),
}));

beforeEach(() => {
  vi.mocked(hostOf).mockReset();
});

const type = "pulumi-nodejs:dynamic/lvs:VirtualService";
const masked = "[secret]";
const secret = (value: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const jump = { host: "bastion", user: "ops", hostKey: "ssh-ed25519 AAAAbastion" };
const director = { host: "director", knownHosts: "/etc/known" };

/** Plans a service on a host as a changed program names it. Returns the connections that were used. */
async function plan(was: object, is: object): Promise<unknown[]> {
  vi.mocked(stateOf).mockResolvedValue({
    resources: [{ urn: "urn:pulumi:s::p::t::web", type, outputs: { connection: was } }],
  });
  vi.mocked(hostOf).mockImplementation((_, label) => fakeHost({ label }).host);
  const inputs = {
    ...{ connection: is, owner: "p/s/web", protocol: "tcp", address: "192.168.0.210", port: 80 },
    ...{ scheduler: "rr", persistence: null },
  };
  const urn = "urn:pulumi:s::p::t::web";
  const preview = { steps: [{ op: "create", urn, newState: { urn, type, inputs } }], before: [] };
  const { find } = await reaching({} as automation.Stack, preview);
  await livePlanOf(preview, find);
  return vi.mocked(hostOf).mock.calls.map(([connection]) => connection);
}

test("secrets of the state go to the hosts that it has them for", async () => {
  const was = { ...director, password: secret("one"), proxy: { ...jump, password: secret("two") } };
  const used = await plan(was, { ...director, password: masked, proxy: { ...jump, password: masked } });
  expect(used).toEqual([{ ...director, password: "one", proxy: { ...jump, password: "two" } }]);
});

test("a check of the host's key may become stronger", async () => {
  const was = { host: "director", insecureIgnoreHostKey: true, insecureAllowSha1: true };
  const is = { host: "director", hostKey: jump.hostKey };
  expect(await plan({ ...was, password: secret("one") }, { ...is, password: masked })).toEqual([
    { ...is, password: "one" },
  ]);
});

test("a known jump host has its secret on the way to another host", async () => {
  const was = { ...director, proxy: { ...jump, privateKey: secret("two") } };
  const is = { host: "rs1", privateKeyPath: "/key", proxy: { ...jump, privateKey: masked } };
  expect(await plan(was, is)).toEqual([{ ...is, proxy: { ...jump, privateKey: "two" } }]);
});

const open = { host: "director", insecureIgnoreHostKey: true };

test.for<[string, object, object, string]>([
  ["another jump host", director, { proxy: { host: "evil" } }, "does not have the password of its jump host"],
  ["another port of it", director, { proxy: { ...jump, port: 2222 } }, "for another port,"],
  ["another user of it", director, { proxy: { ...jump, user: "root" } }, "for another user,"],
  ["another key of it", director, { proxy: { ...jump, hostKey: "ssh-rsa B" } }, "for another hostKey,"],
  [
    "no check of its key",
    director,
    { proxy: { ...jump, hostKey: undefined, insecureIgnoreHostKey: true } },
    "for another hostKey, insecureIgnoreHostKey,",
  ],
  ["another file of host keys", director, { knownHosts: "evil" }, "its password for another knownHosts,"],
  ["weaker algorithms", director, { insecureAllowSha1: true }, "its password for another insecureAllowSha1,"],
  ["another port", director, { port: 2222 }, "its password for another port,"],
  [
    "another way to a host whose key is not checked",
    open,
    { proxy: { host: "evil", privateKeyPath: "/key", password: undefined } },
    "its password for another proxy,",
  ],
])("with %s, a secret of the state is not sent, and the refusal says why", async ([, base, change, why]) => {
  const was = { ...base, password: secret("one"), proxy: { ...jump, password: secret("two") } };
  const proxy = { ...jump, ...("proxy" in change ? (change.proxy as object) : {}) };
  const is = {
    ...{ ...base, password: masked, ...change },
    proxy: { password: masked, ...("proxy" in change ? (change.proxy as object) : proxy) },
  };
  const refused = await plan(was, is).then(
    () => "",
    (error: Error) => `${error.constructor.name}: ${error.message}`,
  );
  expect(vi.mocked(hostOf)).not.toHaveBeenCalled();
  expect(refused).toMatch(
    /^HostNotRead: cannot plan on director(:2222)?: the state .*; give it by reference/,
  );
  expect(refused).toContain(why);
  expect(refused).not.toMatch(/one|two/);
});
