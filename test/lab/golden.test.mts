import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Definition } from "../../providers/engine/define.js";
import { partsOf } from "../../providers/engine/inputs.js";
import { Facts } from "../../src/facts/facts.js";
import { parseReport } from "../../src/host/report.js";
import { readScript, rulesOf } from "../../src/host/script.js";
import { openingText } from "../../src/shell/opening.js";
import { definitions } from "../support/fake/definitions.js";
import { type Case, change, goldenFiles, inputsOf, recorder } from "../support/fake/golden.js";
import { run } from "../support/machines/lab.mts";
import { newNonce, preparation, transaction } from "./golden-host.mts";
import { unloading } from "./modules.mts";
import { onLab } from "./setup.mts";

// Each case runs in a network namespace of the director with the interfaces that cases name, so that none sees another's
// table, addresses, routes or sysctls. Modules and files are the whole machine's, so the next case begins without them.

/** Kinds whose cases run on the machine itself: systemd runs health checks and keepalived, and modules are the machine's. */
const onMachine = new Set(["health-monitor", "kernel-module", "vrrp-instance"]);

// no addresses of the kernel's own choice, which change by themselves
const links = `
for of in all default; do echo 1 >/proc/sys/net/ipv6/conf/$of/addr_gen_mode; done
{
  echo link set lo up
  for i in 0 1 2; do
    printf '%s\\n' "link add eth$i type veth peer name peer$i" "link set eth$i up" "link set peer$i up"
  done
  echo link add eth0.100 link eth0 type vlan id 100
} | ip -batch -
`;

/** Scripts, each in a shell of its own, that run where cases of the kind do. */
const within = (kind: string, parts: readonly string[]): string => {
  const all = parts.map((part) => `printf '@@\\n'; sh <<'END-OF-PART'\n${part}\nEND-OF-PART`).join("\n");
  if (onMachine.has(kind)) return all;
  return `ip netns add golden\nip netns exec golden sh <<'END-OF-PARTS'\n${links}${all}\nEND-OF-PARTS`;
};

const schedulers = "/run/golden-schedulers";
const findSchedulers = `
find /lib/modules/$(uname -r) -name 'ip_vs_*.ko*' | sed 's|.*/||; s|[.]ko.*||' | tr '\\n' ' ' >${schedulers}; echo >>${schedulers}`;

/** Schedulers are loaded before, so that a case that uses one leaves the modules as they were. */
const withModules = `
read -r all <${schedulers}
for m in $all; do [ -d /sys/module/$m ] || { modprobe -a ip_vs $all; break; }; done`;
const withoutModules = unloading("nf_conntrack");

const emptied = `
ip netns del golden 2>/dev/null
[ ! -e /etc/pulumi-lvs ] || systemctl stop pulumi-lvs-monitor.service
[ ! -e /etc/keepalived/keepalived.conf ] || systemctl stop keepalived
rm -rf /etc/keepalived/keepalived.conf /etc/keepalived/pulumi-lvs.d /etc/systemd/system/keepalived.service.d
rm -rf /run/pulumi-lvs /etc/pulumi-lvs /etc/systemd/system/pulumi-lvs* /etc/systemd/system/*.wants/pulumi-lvs*
`;

// Each process costs the machine 7 ms, so this starts few and leaves words out afterwards.
const show = `
[ ! -e /proc/net/ip_vs ] || { ipvsadm -Sn; ipvsadm -Ln --timeout; ipvsadm -Ln --daemon; ipvsadm -Ln --thresholds; }
ip -o addr show
ip route show table all
ip -6 route show table all
grep -rs . /proc/sys/net/ipv4 /proc/sys/net/ipv6
cat /proc/modules
find /run/pulumi-lvs /etc/pulumi-lvs /etc/keepalived /etc/systemd/system/keepalived.service.d -type f \\
  \\( -name found -o -path '/etc/keepalived/*' -o -path '/etc/systemd/*' -o -path '/etc/pulumi-lvs/vrrp/*' \\
  -o -path '/etc/pulumi-lvs/monitor.d/*' \\) -exec grep -H . {} + 2>/dev/null
for f in /run/keepalived.pid /etc/systemd/system/multi-user.target.wants/keepalived.service; do
  [ ! -e $f ] && [ ! -L $f ] || echo $f
done
exit 0
`;

/** What the host shows of everything that cases change. */
const shown = (text = ""): string =>
  text
    .split("\n")
    // of these, one is made up anew at each reading, and the size in the other is, too
    .filter((line) => !/stable_secret|^IP Virtual Server version/.test(line))
    // of a module its name, without how many use it
    .map((line) =>
      line.replace(/valid_lft.*/, "").replace(/^(\w+) \d+ \d+ .* (Live|Loading|Unloading) .*/, "module $1"),
    )
    .join("\n");

/** Lines that one text has and the other has not. */
const differences = (before = "", after = ""): string[] => {
  const [was, is] = [before.split("\n"), after.split("\n")];
  return [
    ...was.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`),
  ];
};

async function replay(definition: Definition, kind: string, given: Case): Promise<void> {
  const { inputs } = inputsOf(definition, given, given.want ?? given.was ?? {});
  const { key, config } = partsOf(definition, inputs);
  const { submit, steps } = recorder(given.host ?? {});
  await change(definition, given, submit);
  const own = rulesOf(steps);
  const owner = `p/s/n ${definition.id(key)}`;
  const undo = own.flatMap(({ undo: run }) => (run ? [{ run, undo: null }] : [])).reverse();
  const names = definition.facts(key, config as never);
  const [done, read, undone] = ["done", "read", "undone"].map(newNonce) as [string, string, string];

  const parts = [
    preparation(given.host ?? {}).join("\n"),
    show,
    // as a connection has them: the functions once, then a script after the other
    [
      openingText() + transaction(done, owner, own),
      readScript(read, names),
      transaction(undone, owner, undo),
    ].join("printf '@@\\n'\n"),
    show,
  ];
  const unloads = Object.values(given.host ?? {}).includes(null);
  const script = [emptied, unloads ? withoutModules : withModules, within(kind, parts)];
  const { stdout } = await run("director", script.join("\n"), { timeoutSeconds: 120 });
  const [, , before, ...after] = stdout.split(/^@@$/m) as [string, string, string, ...string[]];

  expect(parseReport(done, after[0] ?? "").outcomes.get(0)).toEqual({ kind: "kept" });
  const wanted = given.want ? config : undefined;
  const facts = new Facts(parseReport(read, after[1] ?? "").sections);
  if (!definition.setting || wanted) expect(definition.read(facts, key, config as never)).toEqual(wanted);
  expect(parseReport(undone, after[2] ?? "").outcomes.get(0)).toEqual({ kind: "kept" });
  // the real servers of a service are resources of their own
  const isOthers = (line: string) => kind === "virtual-service" && /^- (-a |\s+->)/.test(line);
  if (own.every(({ undo }) => undo))
    expect(differences(shown(before), shown(after[3])).filter((line) => !isOthers(line))).toEqual([]);
}

onLab("every golden case that changes a host", () => {
  // it takes seconds each time
  beforeAll(() => run("director", `systemctl enable -q keepalived${findSchedulers}`).then(() => {}));
  afterAll(
    async () =>
      void (await run("director", "ip netns del golden; rm -rf /run/pulumi-lvs", { allowFailure: true })),
  );

  for (const { kind, name, cases } of goldenFiles) {
    const changing = cases.filter(({ run, error }) => run && run.length > 0 && !error);
    if (changing.length > 0)
      describe(`${kind}/${name}`, () => {
        it.for(changing.map((given) => [given.title, given] as const))("%s", ([, given]) =>
          replay(definitions.get(kind) as Definition, kind, given),
        );
      });
  }
});
