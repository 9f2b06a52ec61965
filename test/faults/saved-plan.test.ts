import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tables, up, updates } from "./harness/real-updates.js";

const { threeHosts, stackOf, servicesOn } = updates();

// `npx pulumi-lvs plan --save` and `up --plan` by the real Pulumi CLI.

test("up --plan runs the plan that was reviewed, refuses anything else, and rolls back", async () => {
  const [host] = await threeHosts();
  const at = (weight: number, neighbour = "stays") =>
    servicesOn([host], {
      weights: [weight],
      neighbour,
      more: `new lvs.Sysctl("hidden", { connection: connections[0], name: "net.ipv4.vs.expire_nodest_conn", value: pulumi.secret("${weight % 2}") });`,
    });
  const stack = await stackOf(at(1));
  await stack.up();
  const before = tables([host]);
  const entry = (weight: number) =>
    host.fake.write(
      "ipvs",
      `${host.fake
        .lines("ipvs")
        .join("\n")
        .replace(/-w \d+$/, `-w ${weight}`)}\n`,
    );

  await stack.program(at(2));
  const file = join(stack.folder, "reviewed.json");
  const plan = await stack.pulumiLvs(["plan", "--live", "--save", file]);
  expect(plan.code, plan.text).toBe(0);
  expect(plan.text).toMatch(/connections: edited in place, 0 affected\n/);
  expect(plan.text).toMatch(/writing \[secret\] to \S+expire_nodest_conn\n +undo: writing \[secret\] to /);
  expect(plan.text).toMatch(/saved; pulumi-lvs up --plan \S+ runs it/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).not.toMatch(/planted-secret/);
  expect(tables([host])).toEqual(before);

  // A host that differs from the review.
  entry(9);
  const drifted = await up(stack, "--plan", file);
  expect(drifted.code, drifted.text).toBe(12);
  expect(drifted.text).toContain(`${host.label}: update RealServer rs0: weight was 1, is 9\n`);
  expect(host.fake.lines("ipvs").join()).toContain("-w 9");
  entry(1);

  // Another set of lines.
  await stack.program(at(4));
  const changed = await up(stack, "--plan", file);
  expect(changed.code, changed.text).toBe(12);
  expect(changed.text).toMatch(/rs0: the line was "ipvsadm -e .* -w 2", is "ipvsadm -e .* -w 4"\n/);

  // A resource of another package: Pulumi's own plan.
  await stack.program(at(2, "moves"));
  const beyond = await up(stack, "--plan", file);
  expect(beyond.code, beyond.text).not.toBe(0);
  expect(beyond.text).toMatch(/violates plan/);
  expect(tables([host])).toEqual(before);

  await stack.program(at(2));
  const verified = await up(stack, "--plan", file, "--verify", "false");
  expect(verified.code, verified.text).toBe(10);
  expect(tables([host])).toEqual(before);
  const done = await up(stack, "--plan", file);
  expect(done.code, done.text).toBe(0);
  expect(host.fake.lines("ipvs").join()).toContain("-w 2");

  await host.down();
  await stack.program(at(3));
  const unread = await stack.pulumiLvs(["plan", "--live"]);
  expect(unread.code, unread.text).toBe(14);
  expect(unread.text).toMatch(/^pulumi-lvs: cannot plan on 127\.0\.0\.1:\d+: .*; /);
});
