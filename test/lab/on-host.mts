import { lockFile } from "../../src/shell/lock.js";
import { type HostName, run } from "../support/machines/lab.mts";
import { waitOn } from "./setup.mts";

/** Programs that change a host, in the order that scripts look for them: /usr/local/sbin comes first on their PATH. */
const tools = ["ipvsadm", "ip", "arping", "modprobe"];
const place = "/tmp/lvs-faults";

// stands before the real program, and counts the calls that change something
const wrapper = `#!/bin/sh
real=/usr/sbin/\${0##*/}; [ -x "$real" ] || real=/usr/bin/\${0##*/}
# an ipvsadm -R that fails is no failure: its lines are tried one by one
case " $* " in *" -Sn "*|*" -Ln "*|*" --restore "*|*" -R "*|*" -j "*|*" show "*|*--show-depends*) exec "$real" "$@";; esac
# announcements that go on in the background belong to no step
[ ! /proc/self/fd/1 -ef /dev/null ] || exec "$real" "$@"
n=$(cat ${place}/count); echo $((n + 1)) >${place}/count; echo "\${0##*/} $*" >>${place}/log
if [ -e ${place}/fail.$n ]; then echo "injected failure" >&2; exit 75; fi
if [ -e ${place}/pause.$n ]; then
  : >${place}/reached
  t=0; while [ ! -e ${place}/go ] && [ $t -lt 2000 ]; do sleep 0.3; t=$((t + 1)); done
fi
exec "$real" "$@"
`;

/** What goes wrong at the n-th call on a host that changes something, counted from 0. */
export async function arm(host: HostName, what: "fail" | "pause", n: number): Promise<void> {
  await mend(host);
  const links = tools.map((tool) => `ln -f /usr/local/sbin/.lvs-fault /usr/local/sbin/${tool}`).join("\n");
  await run(
    host,
    `mkdir -p ${place}; echo 0 >${place}/count; : >${place}/log; : >${place}/${what}.${n}
cat >/usr/local/sbin/.lvs-fault <<'EOF'\n${wrapper}EOF
# a machine whose plug is pulled has them again
chmod +x /usr/local/sbin/.lvs-fault\n${links}\nsync`,
    { timeoutSeconds: 600 },
  );
}

/** Takes every fault away. */
export const mend = async (host: HostName): Promise<void> => {
  const files = [".lvs-fault", ...tools].map((name) => `/usr/local/sbin/${name}`).join(" ");
  await run(host, `[ ! -d ${place} ] || touch ${place}/go; rm -rf ${files} ${place}`, { allowFailure: true });
};

/** Waits until the call that is to pause has been reached. */
export const reached = (host: HostName) => waitOn(host, `[ -e ${place}/reached ]`);

/** Lets the paused call go on. */
export const goOn = (host: HostName) => run(host, `: >${place}/go`);

/** Waits until no script of ours holds the host's lock. */
export const quiet = (host: HostName) =>
  run(host, `[ ! -e ${lockFile} ] || flock -x -w 300 ${lockFile} true`, { timeoutSeconds: 320 });

/** Cuts the connection that scripts of ours come by, as a dying link does: its sshd is gone, and says nothing. */
export const cut = (host: HostName) =>
  run(
    host,
    // the shell that holds the lock, or waits for its next script, is a child of its session's sshd
    `for p in $(pgrep -x sh); do [ "$(tr '\\0' ' ' </proc/$p/cmdline)" = "sh " ] || continue
       s=$(cut -d' ' -f4 /proc/$p/stat); [ "$(cat /proc/$s/comm)" = sshd ] && [ "$s" != "$(cut -d' ' -f4 /proc/$$/stat)" ] && kill -KILL $s
     done; :`,
  );
