import { findKernel } from "../../../scripts/setup/kernel.mjs";
import { hasKvm } from "../../../scripts/setup/kvm.mjs";

/** What can run the machines. */
export type EngineName = "qemu" | "uml";

/** What to choose by. */
type Circumstances = {
  /** LVS_LAB_ENGINE. */
  wanted: string | undefined;
  /** Whether QEMU can use the CPU itself. */
  kvm: boolean;
  /** Version of the User-Mode Linux kernel in the cache. */
  kernel: string | undefined;
};

const here = (): Circumstances => ({
  wanted: process.env.LVS_LAB_ENGINE || undefined,
  kvm: hasKvm(),
  kernel: findKernel()?.version,
});

/** The engine for these circumstances, and why. */
export const choose = (
  { wanted, kvm, kernel }: Circumstances = here(),
): { name: EngineName; why: string } => {
  if (wanted === "qemu" || wanted === "uml") return { name: wanted, why: `LVS_LAB_ENGINE=${wanted}` };
  if (wanted !== undefined) throw new Error(`LVS_LAB_ENGINE is ${wanted}: it can be qemu or uml`);
  if (kvm) return { name: "qemu", why: "KVM works here" };
  if (kernel) return { name: "uml", why: "KVM does not work here" };
  return {
    name: "qemu",
    why: "emulated CPUs: KVM does not work here, and no User-Mode Linux kernel is built",
  };
};
