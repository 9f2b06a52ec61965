import { accessSync, constants, existsSync } from "node:fs";

/**
 * @returns {boolean} whether QEMU can use the CPU itself; a /dev/kvm that comes through kvm_pvm cannot run a stock guest, so
 * the module has to be one of these two
 */
export function hasKvm() {
  try {
    accessSync("/dev/kvm", constants.W_OK);
  } catch {
    return false;
  }
  return ["kvm_intel", "kvm_amd"].some((module) => existsSync(`/sys/module/${module}`));
}
