import { expect, test } from "vitest";
import { keptBecause, leftOut } from "../../../cli/down/left-out.js";
import type { Group } from "../../../cli/failover/instances.js";
import type { PreviewStep } from "../../../cli/plan/preview.js";
import type { Entry } from "../../../rollback/deployment.js";
import { cluster } from "../../support/vrrp-entries.js";

const silent = new Map([["director2", { why: "no route to host", isDown: true }]]);
const groupOf = (address: string, within: readonly string[], hosts: readonly string[]) =>
  ({ address, instances: hosts.map((host) => ({ host, within })) }) as unknown as Group;
const groups = [groupOf("192.168.0.219", ["web", "lvs-prod"], ["director1", "director2"])];

const step = (op: string, host: string, kind = "RealServer", parent: string | undefined = cluster) => {
  const entry = {
    urn: `urn:pulumi:prod::lvs::pulumi-nodejs:dynamic/lvs:${kind}::web-${host}-${op}`,
    type: `pulumi-nodejs:dynamic/lvs:${kind}`,
    inputs: { connection: { host } },
    ...(parent ? { parent } : {}),
    ...(op === "create" ? {} : { id: `${host}/x` }),
  };
  const states = {
    ...(op === "create" ? {} : { oldState: { ...entry, inputs: { ...entry.inputs, weight: 1 } } }),
    ...(op === "delete" ? {} : { newState: entry }),
  };
  return { op, urn: entry.urn, ...states } satisfies PreviewStep;
};

const previewOf = (steps: readonly PreviewStep[], outputs: Record<string, unknown>) => ({
  steps,
  before: steps.flatMap(({ oldState }) => oldState ?? []),
  clusters: new Map([[cluster, outputs]]),
});

const changes = [
  step("same", "director2", "VirtualService"),
  ...["create", "update", "delete"].flatMap((op) => [step(op, "director1"), step(op, "director2")]),
];

test("an update leaves out all resources of a director that is down, if its cluster allows that", () => {
  const left = leftOut(silent, groups, previewOf(changes, { allowDown: true }), false);
  expect(left?.hosts).toEqual(["director2"]);
  expect(left?.urns.map((urn) => urn.split("::").at(-1)).sort()).toEqual(
    ["create", "delete", "same", "update"].map((op) => `web-director2-${op}`),
  );
});

test("a resource of another package is on no host by its id", () => {
  const made = { ...step("update", "director1"), urn: "urn:pulumi:prod::lvs::other:index:Thing::thing" };
  const entry = { urn: made.urn, type: "command:local:Command", id: "director2/x" };
  const other = { ...made, oldState: entry, newState: entry };
  expect(leftOut(silent, groups, previewOf([other], {}), false)).toBeUndefined();
});

test("another cluster whose directors are all down does not stop the update", () => {
  const shop = groupOf("192.168.0.220", ["shop", "lvs-prod"], ["director3", "director4"]);
  const off = { why: "no route to host", isDown: true };
  const more = new Map([...silent, ["director3", off], ["director4", off]]);
  const left = leftOut(more, [shop, ...groups], previewOf(changes, { allowDown: true }), false);
  expect(left?.hosts).toEqual(["director2"]);
});

test("an update that changes nothing there goes on, unless it has to reach each host", () => {
  const preview = previewOf([step("same", "director2"), step("update", "director1")], {});
  expect(leftOut(silent, groups, preview, false)).toBeUndefined();
  expect(() => leftOut(silent, groups, preview, true)).toThrow(
    "cannot update web: director2 does not answer",
  );
});

const withInputs = (was: object, is: object, outputs = {}, kind = "RealServer"): PreviewStep => {
  const made = step("update", "director2", kind);
  const state = (inputs: object, entry?: Entry) =>
    ({ ...entry, inputs: { connection: { host: "director2" }, weight: 1, ...inputs }, outputs }) as Entry;
  return { ...made, oldState: state(was, made.oldState), newState: state(is, made.newState) };
};

const anotherKey = { connection: { host: "director2", hostKey: "ssh-ed25519 AAAA" } };

test("an update that changes only the connection there goes on, because that is in the state only", () => {
  const preview = previewOf([withInputs({}, anotherKey)], {});
  expect(leftOut(silent, groups, preview, false)).toBeUndefined();
});

test.each([
  ["another field", [{}, { ...anotherKey, weight: 2 }]],
  ["a secret, which the preview masks", [{ check: "[secret]" }, { ...anotherKey, check: "[secret]" }]],
  ["a record that a refresh found missing", [{}, anotherKey, { record: "missing" }]],
] as const)("an update that changes the connection and %s needs the director", (_, [was, is, outputs]) => {
  const preview = previewOf([withInputs(was, is, outputs)], {});
  expect(() => leftOut(silent, groups, preview, false)).toThrow("cannot update web");
});

test.each([
  ["advertInterval", { version: 2, advertInterval: 1 }, { version: 2, advertInterval: 2 }, "update"],
  ["advertInterval", { version: 3, advertInterval: 1 }, { version: 3, advertInterval: 3 }, "update"],
  ["peers", { peers: [] }, { peers: ["192.168.0.6"] }, "update"],
  [
    "address",
    { addresses: [{ address: "192.168.0.219" }] },
    { addresses: [{ address: "192.168.0.220" }] },
    "update",
  ],
  ["routerId", { routerId: 51 }, { routerId: 52 }, "replace"],
])(
  "a director that is down is not left out of another %s, because it would ignore the advertisements of the others",
  (field, was, is, op) => {
    const vrrp = { ...withInputs(was, is, {}, "VrrpInstance"), op };
    expect(() => leftOut(silent, groups, previewOf([vrrp], { allowDown: true }), false)).toThrow(
      `cannot update web: director2 does not answer: no route to host. Nothing was changed; with another ${field} it ignores the advertisements of the other directors, so run again when director2 answers`,
    );
  },
);

test("a director that is down is not left out of another order, in which each one depends on others", () => {
  const instances = (one: number, two: number): [object, object] => [{ priority: one }, { priority: two }];
  const [was, is] = [instances(150, 140), instances(140, 150)];
  const steps = ["director1", "director2"].map((host, i) => {
    const made = step("update", host, "VrrpInstance");
    const state = (inputs: object) =>
      ({ ...made.newState, inputs: { connection: { host }, ...inputs } }) as Entry;
    return { ...made, oldState: state(was[i] as object), newState: state(is[i] as object) };
  });
  expect(() => leftOut(silent, groups, previewOf(steps, { allowDown: true }), false)).toThrow(
    "cannot update web: director2 does not answer: no route to host. Nothing was changed; another order of directors needs each of them, so run again when director2 answers",
  );
});

test.each([
  ["priority", { priority: 150 }, { priority: 140 }],
  ["interval of version 3", { version: 3, advertInterval: 1 }, { version: 3, advertInterval: 0.7 }],
])("a director that is down is left out of another %s", (_, was, is) => {
  const vrrp = withInputs(was, is, {}, "VrrpInstance");
  expect(leftOut(silent, groups, previewOf([vrrp], { allowDown: true }), false)?.hosts).toEqual([
    "director2",
  ]);
});

test.each([
  [
    "its cluster does not allow it",
    changes,
    {},
    silent,
    "cannot update web: director2 does not answer: no route to host. Nothing was changed; run again when director2 answers, or write allowDown: true in the cluster",
  ],
  [
    "a resource there is in no cluster",
    [
      ...changes,
      step("update", "director2", "Sysctl", "urn:pulumi:prod::lvs::pulumi:pulumi:Stack::lvs-prod"),
    ],
    { allowDown: true },
    silent,
    "cannot update web-director2-update: director2 does not answer",
  ],
  [
    "no other director answers",
    changes,
    { allowDown: true },
    new Map([...silent, ["director1", { why: "timed out", isDown: true }]]),
    "cannot update web: no director of 192.168.0.219 answers (director1: timed out; director2: no route to host)",
  ],
  [
    "it refuses the login",
    changes,
    { allowDown: true },
    new Map([["director2", { why: "no key is accepted", isDown: false }]]),
    "cannot update web: director2 does not answer: no key is accepted. Nothing was changed; allowDown is for one that is down",
  ],
  [
    "the cluster is new",
    [step("create", "director2", "VrrpInstance")],
    { allowDown: true },
    silent,
    "cannot make VrrpInstance web-director2-create: director2 does not answer: no route to host. Nothing was changed",
  ],
])("nothing is changed where a director is down and %s", (_, steps, outputs, down, message) => {
  expect(() => leftOut(down, groups, previewOf(steps, outputs), false)).toThrow(message);
});

test("what Pulumi keeps on other directors, because what is left out depends on it, is deleted afterwards, but not on real servers", () => {
  const server = step("delete", "web1", "VirtualAddress");
  const all = [...changes, step("same", "director1", "VrrpInstance"), server];
  const preview = previewOf(all, { allowDown: true });
  const left = leftOut(silent, groups, preview, false);
  const replaced = { ...(step("same", "director1").oldState as Entry), delete: true };
  const resources = [...preview.before, step("create", "director1").newState as Entry, replaced];
  expect(left && keptBecause(left, preview, { resources }).map((urn) => urn.split("::").at(-1))).toEqual([
    "web-director1-delete",
    "web-director1-same",
  ]);
});
