import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The program whose checkers are measured. */
export const keepalived = process.env.KEEPALIVED ?? "/usr/sbin/keepalived";

/** Addresses of so many servers on loopback. */
export const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `127.0.${1 + (i >> 8)}.${i & 255}`);

/** A library that answers the socket options of IPVS, 1152 to 1279, so that keepalived runs without a table. */
const noTable = `#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>
#define IS_IPVS(level, name) ((level) == 0 && (name) >= 1152 && (name) < 1280)
int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  static int (*real)(int, int, int, void *, socklen_t *);
  if (IS_IPVS(level, name)) { memset(value, 0, *length); return 0; }
  if (!real) real = dlsym(RTLD_NEXT, "getsockopt");
  return real(fd, level, name, value, length);
}
int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  static int (*real)(int, int, int, const void *, socklen_t);
  if (IS_IPVS(level, name)) return 0;
  if (!real) real = dlsym(RTLD_NEXT, "setsockopt");
  return real(fd, level, name, value, length);
}`;

/** Makes a folder with the configuration of keepalived. */
export function keepalivedFolder(count: number, port: number): string {
  const root = mkdtempSync(join(tmpdir(), "lvs-health-"));
  const checks = addresses(count).map(
    (address) => `  real_server ${address} ${port} {
    weight 1
    HTTP_GET {
      url {
        path /.health.html
        status_code 200
      }
      connect_timeout 3
    }
  }`,
  );
  const service = `virtual_server 192.168.0.219 ${port} {
  delay_loop 3
  lvs_sched wlc
  lvs_method DR
  protocol TCP
${checks.join("\n")}
}
`;
  writeFileSync(join(root, "keepalived.conf"), service);
  writeFileSync(join(root, "no-table.c"), noTable);
  execFileSync("cc", ["-shared", "-fPIC", "-o", join(root, "no-table.so"), join(root, "no-table.c"), "-ldl"]);
  return root;
}

/** Runs only the checkers, in the foreground, and logs nothing to a terminal. */
export function keepalivedCommand(root: string): string[] {
  const file = (option: string, name: string) => [option, join(root, name)];
  const files = [file("-f", "keepalived.conf"), file("-p", "pid"), file("-c", "checkers.pid")].flat();
  return ["env", `LD_PRELOAD=${root}/no-table.so`, keepalived, "-n", "-C", ...files];
}
