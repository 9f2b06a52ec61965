import { chmodSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { healthMonitor } from "../../providers/health-monitor/index.js";
import { hostRoute } from "../../providers/host-route.js";
import { realServer } from "../../providers/real-server/index.js";
import { sysctl } from "../../providers/sysctl.js";
import { virtualAddress } from "../../providers/virtual-address.js";
import { virtualService } from "../../providers/virtual-service/index.js";
import { answerBytes } from "../../src/ssh/limits.js";
import { fakeHost, resources } from "../support/fake/engine.js";
import { type FakeHost, shells } from "../support/fake/fake-host.js";

const service = "-A -t 192.168.0.219:80 -s wlc\n";
const server = (n: number) => ({ service: "tcp://192.168.0.219:80", address: `192.168.10.${n}`, port: 80 });

/** Puts a program in the place of a tool; `real` in its text is the tool itself. */
function replaceTool(fake: FakeHost, name: string, text: string): void {
  const real = `${fake.root}/tools/${name}-real`;
  fake.write(`tools/${name}-real`, `#!/bin/sh\nexec "$LVS_FAKE_BIN/${name}" "$@"\n`);
  fake.remove(`tools/${name}`);
  fake.write(`tools/${name}`, `#!/bin/sh\n${text.replaceAll("real", real)}\n`);
  for (const file of [name, `${name}-real`]) chmodSync(`${fake.root}/tools/${file}`, 0o755);
}

/** Changes what the host's shell says on its way. */
function changing(fake: FakeHost, change: (text: string) => string): FakeHost {
  const stream = fake.stream.bind(fake);
  fake.stream = () => {
    const plain = stream();
    return { ...plain, onOutput: (listener) => plain.onOutput((text) => listener(change(text))) };
  };
  return fake;
}

describe("a host", () => {
  test.each(shells.map((shell) => [shell.join(" "), shell] as const))(
    "whose profile sets another language, aliases, colours and a start-up file, is served as any other (%s)",
    async (_, shell) => {
      const fake = fakeHost({ shell });
      // named as those of scripts
      const names = [
        "print_line",
        "step",
        "take_lock",
        "run_script",
        "read_table",
        "put_file",
        "apply",
        "stop_script",
      ];
      const functions = names.map((name) => `${name}() { : >${fake.root}/PWNED; }\n`).join("");
      fake.write(
        "profile",
        `alias ip='ip -c=always' ls='ls --color' grep='grep --color=always'\necho Willkommen\nset -u -e -f\n${functions}`,
      );
      // of bash's environment, as the profile of any other shell
      const exported = Object.fromEntries(
        names.map((name) => [`BASH_FUNC_${name}%%`, `() { : >${fake.root}/PWNED; }`]),
      );
      fake.environment = {
        ...exported,
        ENV: `${fake.root}/profile`,
        BASH_ENV: `${fake.root}/profile`,
        LANG: "de_DE.UTF-8",
        LANGUAGE: "de:zh_CN",
        LC_ALL: "zh_CN.UTF-8",
        GREP_COLORS: "mt=01;31",
        GREP_OPTIONS: "--color=always",
        LS_COLORS: "di=01;34",
        CDPATH: "/:.",
        IFS: "/",
        PS4: "$(: >PWNED)",
        PS1: "$(: >PWNED)",
        TERM: "xterm-256color",
        POSIXLY_CORRECT: "1",
        owner: "somebody",
        out: "x",
        N: "lvs",
      };
      fake.write("ipvs", service);
      const untouched = fake.snapshot();
      const made = [];
      for (const [definition, args] of [
        [realServer, server(1)],
        [virtualAddress, { interface: "eth0", address: "192.168.0.219", announce: false }],
        [hostRoute, { destination: "10.0.0.0/8", device: "eth0", table: "100" }],
        [sysctl, { name: "net.ipv4.tcp_rmem", value: "1 2 3" }],
      ] as const) {
        const kind = resources(definition, fake);
        made.push({ kind, ...(await kind.create(args)) });
      }
      expect(fake.lines("ipvs")).toHaveLength(2);
      expect(fake.lines("routes")).toContain("4 100 10.0.0.0/8 - eth0 - 0");
      for (const { kind, props } of made) {
        expect((await kind.read(props)).props).toEqual(props);
        await kind.delete(props);
      }
      expect(fake.snapshot()).toBe(untouched);
      expect(fake.has("PWNED")).toBe(false);
    },
  );

  test.each([
    ["a line", "Welcome!\n"],
    ["a line without an end", "Last login: today, uid 1000, Welcome> "],
    [
      "what looks like an answer",
      "lvs-000000000000000000000000 uid 1000\nlvs-000000000000000000000000 done\n",
    ],
    ["megabytes", "x".repeat(2 ** 21)],
    ["what is no text", "\x00\xff\x1b[2J\x9b"],
  ])("that says %s before its first word is served as any other", async (_, banner) => {
    const fake = fakeHost();
    let printed = false;
    changing(fake, (text) => {
      const all = printed ? text : banner + text;
      printed = true;
      return all;
    });
    fake.write("ipvs", service);
    await resources(realServer, fake).create(server(1));
    expect(fake.lines("ipvs")).toHaveLength(2);
  });

  test("into whose answer something else writes a line is refused in one line, and does all or nothing", async () => {
    const fake = changing(fakeHost(), (text) =>
      text.replace(/( fact table\n)/, "$1[  12.3] IPVS: ipvs loaded.\n"),
    );
    fake.write("ipvs", service);
    const kind = resources(realServer, fake);
    await expect(kind.create(server(1))).rejects.toThrow(
      /^cannot create tcp:\/\/192\.168\.0\.219:80\/192\.168\.10\.1:80 on director1: unexpected output: table was changed on the way; check what else prints into the user's shell there$/,
    );
    expect(fake.read("ipvs")).toBe(service);
  });

  test("whose answer is longer than any loses its connection, and its neighbour hears nothing of it", async () => {
    let isEndless = true;
    const fake = changing(fakeHost(), (text) =>
      isEndless ? text.replace(/( fact table\n)/, `$1${"x".repeat(answerBytes)}`) : text,
    );
    const neighbour = fakeHost();
    for (const one of [fake, neighbour]) one.write("ipvs", service);
    const kind = resources(realServer, fake);
    const [hostile, friendly] = await Promise.allSettled([
      kind.create(server(1)),
      resources(realServer, neighbour).create(server(1)),
    ]);
    expect(friendly.status).toBe("fulfilled");
    expect(String((hostile as PromiseRejectedResult).reason)).toMatch(
      /on director1: the connection was lost before the host had answered \(it prints more than 16 MB\)/,
    );
    isEndless = false;
    await kind.create(server(1));
    expect(fake.lines("ipvs")).toHaveLength(2);
  });

  test("from which a line gets lost is refused, so that a smaller table is never taken for the whole", async () => {
    const line = "-a -t 192.168.0.219:80 -r 192.168.10.1:80 -g -w 1\n";
    const fake = changing(fakeHost(), (text) => text.replace(line, ""));
    fake.write("ipvs", service + line);
    const kind = resources(realServer, fake);
    const given = kind.inputsOf(server(1));
    await expect(kind.read(given)).rejects.toThrow(
      /unexpected output: table was changed on the way; check what else prints into the user's shell there$/,
    );
    await expect(kind.delete(given)).rejects.toThrow(
      /unexpected output: table was changed on the way; check what else prints into the user's shell there$/,
    );
    expect(fake.read("ipvs")).toBe(service + line);
  });

  test("whose tool dies in the middle of its table is refused, so that a smaller table is never taken for the whole", async () => {
    const fake = fakeHost();
    fake.write("ipvs", `${service}-a -t 192.168.0.219:80 -r 192.168.10.1:80 -g -w 1\n`);
    replaceTool(
      fake,
      "ipvsadm",
      'case "$*" in -Sn) real -Sn | head -n 1; echo "Memory allocation problem" >&2; exit 1;; *) real "$@";; esac',
    );
    const kind = resources(realServer, fake);
    await expect(kind.delete(kind.inputsOf(server(1)))).rejects.toThrow(
      /^cannot delete .* on director1: cannot read `ipvsadm -Sn`: Memory allocation problem$/,
    );
  });

  test("behind a terminal is refused at once", async () => {
    const fake = changing(fakeHost(), (text) => text.replaceAll("\n", "\r\n"));
    const begun = performance.now();
    await expect(resources(realServer, fake).create(server(1))).rejects.toThrow(
      /on director1: a terminal changes the output \(lines end in CR LF\); let the user log in without a terminal/,
    );
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

test("a host without systemd says what to do", async () => {
  const fake = fakeHost();
  fake.remove("run/systemd");
  const untouched = fake.snapshot();
  const address = resources(virtualAddress, fake);
  const vip = { interface: "lo", address: "192.168.0.219" };
  await expect(address.create(vip)).rejects.toThrow(
    /no systemd runs there to restore it after a reboot; set persist: false/,
  );
  const monitor = { service: "tcp://192.168.0.219:80", persist: false };
  await expect(resources(healthMonitor, fake).create(monitor)).rejects.toThrow(
    /no systemd runs there to run the health checks; leave health checks \(HealthMonitor\) out/,
  );
  expect(fake.snapshot()).toBe(untouched);
  const { props } = await address.create({ ...vip, persist: false });
  await address.delete(props);
  expect(fake.snapshot()).toBe(untouched);
});

describe("a tool", () => {
  test("that warns beside its output is understood", async () => {
    const fake = fakeHost();
    replaceTool(fake, "ip", 'echo "Warning: rtnl is deprecated" >&2; real "$@"');
    const kind = resources(virtualAddress, fake);
    const { props } = await kind.create({ interface: "lo", address: "192.168.0.219" });
    expect((await kind.read(props)).props).toEqual(props);
    await kind.delete(props);
    expect(fake.lines("addresses")).toHaveLength(5);
  });

  test.each([
    [
      "warns in its output",
      'echo "Warning: deprecated"; real "$@"',
      /cannot read `ip -j addr show`: unexpected output "Warning: deprecated\\n\[\{/,
    ],
    [
      "colours its output",
      'printf "\\033[36m"; real "$@"; printf "\\033[0m"',
      /cannot read `ip -j addr show`: unexpected output "\\u001b\[36m\[\{/,
    ],
    [
      "knows no JSON",
      "echo '1: lo: <LOOPBACK,UP> mtu 65536'",
      /cannot read `ip -j addr show`: unexpected output "1: lo: </,
    ],
    ["says nothing", "exit 0", /cannot read `ip -j addr show`: unexpected output/],
    ["fails without a word", "exit 3", /cannot read `ip -j addr show`: no message \(exit code 3\)$/],
    ["is killed half way", "printf '[{\"ifindex\":1,'; kill -9 $$", /cannot read `ip -j addr show`: Killed$/],
    [
      "is another program of that name",
      'echo "BusyBox v1.36.1 (2023-11-07) multi-call binary.\n\nUsage: ip [OPTIONS] address|route" >&2; exit 1',
      /cannot read `ip -j addr show`: BusyBox v1\.36\.1 .*; install iproute2 there: its ip is BusyBox's, which prints no JSON$/,
    ],
  ])("that %s is refused in one line, and nothing is done", async (_, text, message) => {
    const fake = fakeHost();
    const untouched = fake.snapshot();
    replaceTool(fake, "ip", text);
    const kind = resources(virtualAddress, fake);
    const change = kind.create({ interface: "lo", address: "192.168.0.219" });
    await expect(change).rejects.toThrow(message);
    await expect(change).rejects.toThrow(/^[^\p{Cc}]{1,300}$/u);
    expect(fake.snapshot()).toBe(untouched);
  });

  test.each([
    [
      "fails",
      "echo 'Cannot send dump request: Operation not permitted' >&2; exit 1",
      /cannot read `ip -j -4 route show table main`: Cannot send dump request: Operation not permitted; log in as root/,
    ],
    [
      "is BusyBox's",
      "echo 'BusyBox v1.36.1 multi-call binary.' >&2; echo 'Usage: ip [OPTIONS]' >&2; exit 1",
      /install iproute2 there/,
    ],
    ["says nothing", "exit 0", /cannot read `ip -j -4 route show table main`: unexpected output ""$/],
  ])("for routes that %s is not taken for a table without routes", async (_, text, message) => {
    const fake = fakeHost();
    fake.write("routes", "4 main 10.0.0.0/8 192.168.0.1 eth0 - 0\n");
    replaceTool(fake, "ip", text);
    const kind = resources(hostRoute, fake);
    const given = kind.inputsOf({ destination: "10.0.0.0/8", via: "192.168.0.1" });
    for (const requested of [() => kind.read(given), () => kind.delete(given)])
      await expect(requested()).rejects.toThrow(message);
  });

  test("that refuses in another language, in colours and at length is quoted in one line", async () => {
    const fake = fakeHost();
    fake.write(
      "text",
      `\x1b[31mFehler\x1b[0m: Gerät nicht gefunden (1,5 s)\r\n错误：没有这样的设备\u202e\n${"y".repeat(2 ** 20)}\n\x9b2J`,
    );
    replaceTool(
      fake,
      "ipvsadm",
      'case "$*" in -[SL]n* | --restore) real "$@";; *) cat "$LVS_FAKE_ROOT/text" >&2; exit 1;; esac',
    );
    const change = resources(virtualService, fake).create({ fwmark: 1 });
    await expect(change).rejects.toThrow(
      /failed \(exit code 1\): Fehler: Gerät nicht gefunden \(1,5 s\) \| 错误：没有这样的设备\\u202e \| y{297}\.\.\./,
    );
    await expect(change).rejects.toThrow(/^[^\p{Cc}\p{Cf}]{1,900}$/u);
  });
});
