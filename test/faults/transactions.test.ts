import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { arpSuppression } from "../../providers/arp-suppression.js";
import { HalfDoneError } from "../../providers/engine/half-done.js";
import { hostRoute } from "../../providers/host-route.js";
import { ipForwarding } from "../../providers/ip-forwarding.js";
import { kernelModule } from "../../providers/kernel-module.js";
import { realServer } from "../../providers/real-server/index.js";
import { sysctl } from "../../providers/sysctl.js";
import { virtualAddress } from "../../providers/virtual-address.js";
import { virtualService } from "../../providers/virtual-service/index.js";
import { digestOf } from "../../src/host/report.js";
import { RollbackFailedError } from "../../src/host/rollback-failed-error.js";
import { applyScript, endScript } from "../../src/host/script.js";
import { step } from "../../src/host/step.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, shells } from "../support/fake/fake-host.js";

const service = "-A -t 192.168.0.219:80 -s wlc\n";
const server = (n: number) => ({ service: "tcp://192.168.0.219:80", address: `192.168.10.${n}`, port: 80 });

function withService(fake: FakeHost): FakeHost {
  fake.write("ipvs", service);
  return fake;
}

/** As the fake ipvsadm prints it. */
const emptyTable = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn 
  -> RemoteAddress:Port
`;

describe("a connection that is lost", () => {
  const facts = ["table", "sysctl:net.ipv4.ip_forward"] as const;
  /** A small script with a bulk, a transaction of two steps, and one of three. */
  const script = (nonce: string) =>
    applyScript(nonce, {
      expect: digestOf(
        new Map([
          ["table", { body: emptyTable }],
          ["sysctl:net.ipv4.ip_forward", { body: "0\n" }],
        ]),
        facts,
      ),
      facts,
      transactions: [
        { owner: "a", steps: [step(["ipvsadm", "-A", "-f", "1"], ["ipvsadm", "-D", "-f", "1"], "entry")] },
        { owner: "a", steps: [step(["ipvsadm", "-A", "-f", "2"], ["ipvsadm", "-D", "-f", "2"], "entry")] },
        {
          owner: "b",
          steps: [
            step(["put_file", "/proc/sys/net/ipv4/ip_forward", "1"], null),
            step(["ipvsadm", "-A", "-f", "3"], null),
          ],
        },
      ],
    });

  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "before the script was whole changes nothing, wherever it was cut (%s)",
    async (_, shell) => {
      const fake = fakeHost({ shell });
      const untouched = fake.snapshot();
      const text = script("lvs-0");
      // the parenthesis that closes it makes it whole
      const end = text.lastIndexOf(")");
      const lines = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
      const between = Array.from({ length: Math.floor(end / 2) }, (_, n) => n * 2);
      const all = [...new Set([...lines, ...between])].filter((position) => position < end);
      expect(all.length).toBeGreaterThan(120);
      // other shells than this machine's own read the same way: a few places will do
      const cuts = [...all.filter((_, n) => shell === shells[0] || n % 16 === 0), end];
      await Promise.all(Array.from({ length: 40 }, (_, n) => fake.cutOpening(n / 39)));
      await Promise.all(cuts.map((position) => fake.cutStream(script("lvs-0"), position)));
      expect(fake.snapshot()).toBe(untouched);
      expect(fake.changes()).toEqual([]);
      // with that parenthesis it does its work
      await fake.cutStream(script("lvs-0"), end + 1);
      expect(fake.lines("ipvs")).toEqual(["-A -f 1 -s wlc", "-A -f 2 -s wlc", "-A -f 3 -s wlc"]);
      expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
    },
  );

  test.each([0, 3, 5, 7])(
    "while the script ran, at step %i, is reported, and the work is completed or undone",
    async (n) => {
      const fake = fakeHost();
      const kind = resources(arpSuppression, fake);
      const untouched = fake.snapshot();
      const { props } = await kind.create({});
      const made = fake.snapshot();
      await kind.delete(props);
      const pause = fake.pauseStep(n);
      const change = kind.create({});
      await pause.reached();
      fake.hangUp();
      await expect(change).rejects.toThrow(
        /^cannot create arp-suppression\/lo on director1: the connection was lost before the host had answered; a script that arrived completes or rolls back on its own; run `pulumi up` again \[lvs-unknown\]$/,
      );
      if (n > 0) expect([untouched, made]).not.toContain(fake.snapshot());
      pause.go();
      await fake.quiet();
      expect([untouched, made]).toContain(fake.snapshot());
      expect(await fake.holdLock().then((release) => release())).toBeUndefined();
    },
  );

  test("while the script ran into a failure is reported, and the work is undone", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(arpSuppression, fake);
    const pause = fake.pauseStep(5);
    fake.failCommand("step", 6);
    const change = kind.create({});
    await pause.reached();
    fake.hangUp();
    await expect(change).rejects.toThrow(/the connection was lost/);
    pause.go();
    await fake.quiet();
    expect(fake.snapshot()).toBe(untouched);
  });

  test("is opened anew by the next who comes", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    const pause = fake.pauseStep(0);
    const change = kind.create(server(1));
    await pause.reached();
    fake.hangUp();
    await expect(change).rejects.toThrow(/the connection was lost/);
    pause.go();
    await fake.quiet();
    fake.mend();
    const { props } = await kind.create(server(1));
    expect((await kind.read(props)).props).toEqual(props);
    expect(fake.shells).toBe(2);
  });

  test("while it was not needed is opened anew without a message", async () => {
    const fake = withService(fakeHost());
    const kind = resources(realServer, fake);
    await kind.create(server(1));
    fake.hangUp();
    await fake.quiet();
    await kind.create(server(2));
    expect(fake.lines("ipvs")).toHaveLength(3);
    expect(fake.shells).toBe(2);
  });
});

describe("a step that fails", () => {
  const setups = {
    "a new VIP": [virtualAddress, { interface: "eth0", address: "192.168.0.219" }],
    "a new silence": [arpSuppression, { interface: "eth0" }],
    "new forwarding": [ipForwarding, { sendRedirects: false, interfaces: ["eth0"] }],
    "a new module": [kernelModule, { name: "ip_vs" }],
    "a new route": [hostRoute, { destination: "10.0.0.0/8", via: "192.168.0.1" }],
    "a new service": [virtualService, { fwmark: 3 }],
  } as const;

  test.each(Object.entries(setups))(
    "leaves nothing of %s behind, whichever step it was",
    async (_, [definition, args]) => {
      const fake = fakeHost().withModules();
      const untouched = fake.snapshot();
      const kind = resources(definition, fake);
      let n = 0;
      for (; n < 20; n++) {
        fake.mend();
        fake.failCommand("step", n);
        const failed = await kind.create(args).then(
          () => undefined,
          (error: Error) => error.message,
        );
        if (failed === undefined) break;
        expect(failed).toMatch(
          /^cannot create .* on director1: (`(arping|ip|ipvsadm|modprobe) .*`|(writing|saving|installing) .*\/.*) failed \(exit code 75\): injected failure$/,
        );
        expect(fake.snapshot(), `after step ${n} had failed`).toBe(untouched);
      }
      expect(n).toBeGreaterThan(0);
      expect(n).toBeLessThan(20);
    },
  );

  const changes = {
    "a VIP's prefix": [virtualAddress, { interface: "eth0", address: "192.168.0.219" }, { prefixLength: 24 }],
    "a VIP's label": [virtualAddress, { interface: "eth0", address: "192.168.0.219" }, { label: "eth0:1" }],
    silence: [arpSuppression, {}, { arpIgnore: 2, arpAnnounce: 1 }],
    "forwarding and redirects": [
      ipForwarding,
      { sendRedirects: false, interfaces: ["eth0"] },
      { sendRedirects: true, enabled: false },
    ],
  } as const;

  test.each(Object.entries(changes))(
    "leaves %s as it was before the change, whichever step it was",
    async (_, [definition, args, change]) => {
      const fake = fakeHost();
      const kind = resources(definition, fake);
      const { props } = await kind.create(args);
      const before = fake.snapshot();
      let n = 0;
      for (; n < 20; n++) {
        fake.mend();
        fake.failCommand("step", n);
        const failed = await kind.update(props, { ...args, ...change }).then(
          () => false,
          () => true,
        );
        if (!failed) break;
        expect(fake.snapshot(), `after step ${n} had failed`).toBe(before);
      }
      expect(n).toBeGreaterThan(0);
    },
  );

  test.each([
    ["silence", arpSuppression, {}],
    ["forwarding", ipForwarding, { sendRedirects: false }],
    ["a VIP", virtualAddress, { interface: "eth0", address: "192.168.0.219" }],
  ] as const)("of a deletion leaves %s as it was, or gone", async (_, definition, args) => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(definition, fake);
    const { props } = await kind.create(args);
    const made = fake.snapshot();
    for (let n = 0; n < 20; n++) {
      fake.mend();
      fake.failCommand("step", n);
      const failed = await kind.delete(props).then(
        () => false,
        () => true,
      );
      if (!failed) break;
      expect(fake.snapshot(), `after step ${n} had failed`).toBe(made);
    }
    expect(fake.snapshot()).toBe(untouched);
  });

  test("of a deletion brings back an entry with the servers behind it and their thresholds", async () => {
    const fake = fakeHost();
    const kind = resources(virtualService, fake);
    const { props } = await kind.create({ address: "192.168.0.219", port: 80 });
    fake.write("ipvs", `${service}-a -t 192.168.0.219:80 -r 192.168.10.9:80 -g -w 7\n`);
    fake.write("thresholds", "-t 192.168.0.219:80\t192.168.10.9:80\t100\t50\n");
    const before = fake.snapshot();
    const key = { protocol: "tcp", address: "192.168.0.219", port: 80 };
    const failed = fake.host.submit({
      owner: "p/s/one",
      facts: virtualService.facts(key, undefined),
      plan: (facts) => {
        const view = { facts, owner: "p/s/one", persist: true };
        const steps = virtualService.plan(key, undefined, virtualService.read(facts, key, undefined), view);
        return { steps: [...steps, { run: ["false"], undo: null }] };
      },
      observe: (facts) => virtualService.read(facts, key, undefined),
      verify: () => undefined,
    });
    await expect(failed).rejects.toThrow(/`false` failed/);
    expect(fake.changes().join("\n")).toMatch(/-D -t 192.168.0.219:80/);
    expect(fake.snapshot()).toBe(before);
    await kind.delete(props);
    expect(fake.lines("ipvs")).toEqual([]);
  });

  test("while drift is mended puts back each place as it was found", async () => {
    const fake = fakeHost();
    const kind = resources(arpSuppression, fake);
    const { props } = await kind.create({});
    fake.write("proc/sys/net/ipv4/conf/lo/arp_ignore", "0\n");
    const { props: drifted } = await kind.read(props);
    expect(drifted).toMatchObject({ arpIgnore: 0 });
    const before = fake.snapshot();
    fake.failCommand("step", 0);
    await expect(kind.update(drifted as never, {})).rejects.toThrow(/injected failure/);
    expect(fake.snapshot()).toBe(before);
  });

  test("and cannot be undone is reported as half done, with what is there now", async () => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    fake.withoutTool("arping");
    fake.failCommand("undo", 0);
    const inputs = {
      ...kind.inputsOf({ interface: "eth0", address: "192.168.0.219", prefixLength: 24, label: "eth0:1" }),
      __provider: "the text",
    };
    const error = await kind.engine.create(inputs).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(HalfDoneError);
    expect(error).toMatchObject({
      id: "director1/eth0/192.168.0.219",
      properties: {
        __provider: "the text",
        connection: { host: "director1" },
        prefixLength: 24,
        label: "eth0:1",
        announce: true,
      },
      reasons: [
        expect.stringMatching(
          /^cannot create eth0\/192\.168\.0\.219 on director1: `arping -q -U .*` failed \(exit code 127\): .*; and this could not be undone: injected failure; check the host; `pulumi refresh` reads its state, and `pulumi up` continues from there \[lvs-unknown\]$/,
        ),
      ],
    });
    // and going on from there works
    fake.mend();
    await kind.delete((error as HalfDoneError).properties);
    expect(fake.read("addresses")).not.toContain("192.168.0.219/");
  });

  test("and cannot be undone, of a change, is half done with what is there now", async () => {
    const fake = fakeHost();
    const kind = resources(virtualAddress, fake);
    const { props } = await kind.create({ interface: "eth0", address: "192.168.0.219", announce: false });
    fake.failCommand("step", 4);
    fake.failCommand("undo", 0);
    await expect(
      kind.update(
        { ...props, __provider: "x" },
        { interface: "eth0", address: "192.168.0.219", label: "eth0:1", announce: false },
      ),
    ).rejects.toMatchObject({
      cause: expect.any(RollbackFailedError),
    });
    expect(fake.read("addresses")).not.toContain("192.168.0.219/");
  });

  test("goes on undoing what it can after one thing could not be undone", async () => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    const kind = resources(arpSuppression, fake);
    fake.failCommand("step", 8);
    fake.failCommand("undo", 0);
    await expect(kind.create({})).rejects.toThrow(/and this could not be undone: injected failure/);
    const left = fake
      .snapshot()
      .split("\n")
      .filter((line) => !untouched.split("\n").includes(line));
    expect(left.filter((line) => line.endsWith("/")).filter((line) => /sysctl/.test(line))).toEqual([
      "run/pulumi-lvs/sysctl.net.ipv4.conf.lo.arp_announce/",
    ]);
  });
});

describe("a host that takes too long", () => {
  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "is stopped: what runs is killed, what was begun is undone, and the next is served (%s)",
    async (_, shell) => {
      const fake = fakeHost({ shell, limit: 3 });
      const untouched = fake.snapshot();
      const kind = resources(arpSuppression, fake);
      fake.pauseStep(6);
      await expect(kind.create({})).rejects.toThrow(
        /^cannot create arp-suppression\/lo on director1: writing \d to \/proc\/.* timed out after 3 s \(connection\.operationTimeout\); check the host's load, or raise the limit$/,
      );
      expect(fake.snapshot()).toBe(untouched);
      fake.mend();
      await kind.create({});
      expect(fake.sysctl("net/ipv4/conf/lo/arp_ignore")).toBe("1");
    },
  );

  test("fails all that waited with it, and leaves nothing of any of them", async () => {
    const fake = fakeHost({ limit: 3 });
    const untouched = fake.snapshot();
    fake.pauseStep(2);
    const changes = [
      resources(arpSuppression, fake).create({}),
      resources(sysctl, fake).create({ name: "net.ipv4.ip_forward", value: "1" }),
    ];
    for (const change of changes) await expect(change).rejects.toThrow(/connection\.operationTimeout/);
    expect(fake.snapshot()).toBe(untouched);
  });
  test("gives up many lines at once together, not one by one for as long again", async () => {
    const fake = withService(fakeHost({ limit: 3 }));
    const untouched = fake.snapshot();
    fake.pauseCommand("bulk", 0);
    const kind = resources(realServer, fake);
    const changes = [1, 2, 3].map((n) => kind.create(server(n), `p/s/${n}`));
    for (const change of changes)
      await expect(change).rejects.toThrow(
        /`ipvsadm -a .*` timed out after \d+ s \(connection\.operationTimeout\)/,
      );
    expect(fake.snapshot()).toBe(untouched);
  });

  test("reports a change that failed before the time was over with the reason of its failure", async () => {
    const fake = fakeHost({ limit: 3 });
    fake.failCommand("step", 0);
    fake.write("faults/pause.step.1", "");
    const failing = resources(virtualService, fake).create({ fwmark: 1 }, "p/s/failing");
    const hanging = resources(sysctl, fake).create({ name: "net.ipv4.ip_forward", value: "1" });
    await expect(failing).rejects.toThrow(/failed \(exit code 75\): injected failure/);
    await expect(hanging).rejects.toThrow(/connection\.operationTimeout/);
  });

  test("undoes an earlier transaction whole, also if one of the commands fails", async () => {
    const fake = fakeHost();
    for (const mark of ["1", "2", "3"]) fake.write("ipvs", `${fake.read("ipvs")}-A -f ${mark} -s wlc\n`);
    fake.failCommand("undo", 1);
    const undo = ["1", "2", "3"].map((mark) =>
      step(["ipvsadm", "-A", "-f", mark], ["ipvsadm", "-D", "-f", mark]),
    );
    const apply = {
      expect: digestOf(new Map(), []),
      facts: [],
      transactions: [{ owner: "a", steps: [], undo }],
    };
    const script = applyScript("lvs-0", apply).replace("guarded() {", "guarded() {\ntimed_out=1");
    expect(script).toContain("timed_out=1");
    await fake.cutStream(script, Number.POSITIVE_INFINITY);
    expect(fake.lines("ipvs")).toEqual(["-A -f 2 -s wlc"]);
  });

  test("is stopped while it reads, too", async () => {
    const fake = fakeHost({ limit: 3 });
    fake.withoutTool("ip");
    writeFileSync(`${fake.root}/tools/ip`, "#!/bin/sh\nexec sleep 30\n", { mode: 0o755 });
    await expect(
      resources(virtualAddress, fake).create({ interface: "lo", address: "192.168.0.219" }),
    ).rejects.toThrow(
      "director1: reading the host's state timed out after 3 s (connection.operationTimeout)",
    );
  });

  test("leaves alone a process that has by now the script's number", async () => {
    const other = spawn("sleep", ["30"], { stdio: "ignore" });
    onTestFinished(() => void other.kill("SIGKILL"));
    const shell = spawn("sh", { stdio: ["pipe", "ignore", "ignore"] });
    shell.stdin.end(endScript("lvs-0", other.pid as number));
    await once(shell, "exit");
    other.kill("SIGTERM");
    expect(await once(other, "exit")).toEqual([null, "SIGTERM"]);
  });
});

describe("a host whose /run is full", () => {
  const record = "run/pulumi-lvs/sysctl.net.ipv4.ip_forward";
  const forward = { name: "net.ipv4.ip_forward", value: "1" };

  /** Files that take no more: the device that is always full. */
  async function fill(fake: FakeHost, name: string): Promise<void> {
    mkdirSync(`${fake.root}/${record}`, { recursive: true });
    symlinkSync("/dev/full", `${fake.root}/${record}/${name}`);
  }

  test("says so and sets nothing", async () => {
    const fake = fakeHost();
    await fill(fake, "new");
    await expect(resources(sysctl, fake).create(forward)).rejects.toThrow(/make room there and run again$/);
    expect(fake.sysctl("net/ipv4/ip_forward")).toBe("0");
  });

  test("says so at each step that then finds no room", async () => {
    const printed: string[] = [];
    for (let n = 0; n < 6; n++) {
      const fake = fakeHost();
      fake.fillRun("step", n);
      const made = resources(arpSuppression, fake).create({});
      await made.catch(({ message }: Error) => printed.push(message));
    }
    expect(printed.length).toBeGreaterThan(1);
    for (const message of printed)
      expect(message).toMatch(/cannot be written to; make room there and run again$/);
  });

  test("does not take the first owner who leaves for the last", async () => {
    const fake = fakeHost();
    const kind = resources(sysctl, fake);
    const { props } = await kind.create(forward, "p/s/one");
    await kind.create(forward, "p/s/two");
    await fill(fake, "new");
    await kind.delete(props).catch(() => undefined);
    expect(fake.sysctl("net/ipv4/ip_forward")).toBe("1");
    expect(fake.owners().join()).toContain("p/s/two");
  });
});

test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
  "servers keep one record each if ipvsadm is gone before one command deletes them all (%s)",
  async (_, shell) => {
    const fake = withService(fakeHost({ shell }));
    const kind = resources(realServer, fake);
    const made = await Promise.all([1, 2, 3].map((n) => kind.create(server(n))));
    const before = fake.snapshot();
    fake.takeTool("ipvsadm", "bulk", 0);
    const deletions = await Promise.allSettled(made.map(({ props }) => kind.delete(props)));
    expect(deletions.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    fake.mend();
    expect(fake.snapshot()).toEqual(before);
    for (const { props } of made) await kind.delete(props);
    expect(fake.owners().join()).not.toContain("RealServer");
  },
);
