import { findKernel } from "../../../scripts/setup/kernel.mjs";
import { hasKvm } from "../../../scripts/setup/kvm.mjs";

/** What can run the machines. */
export type EngineName = "qemu" | "uml";

/** What to choose by. */
type Circumstances = {
  /** LVS_LAB_ENGINE. */
  asked: string | undefined;
  /** Whether QEMU can use the CPU itself. */
  kvm: boolean;
  /** Version of the User-Mode Linux kernel in the cache. */
  kernel: string | undefined;
};

const here = (): Circumstances => ({
  asked: process.env.LVS_LAB_ENGINE || undefined,
  kvm: hasKvm(),
  kernel: findKernel()?.version,
});

/** The engine for these circumstances, and why. */
export const choose = ({ asked, kvm, kernel }: Circumstances = here()): { name: EngineName; why: string } => {
  if (asked === "qemu" || asked === "uml") return { name: asked, why: `LVS_LAB_ENGINE=${asked}` };
  if (asked !== undefined) throw new Error(`LVS_LAB_ENGINE is ${asked}: it can be qemu or uml`);
  if (kvm) return { name: "qemu", why: "KVM works here" };
  if (kernel) return { name: "uml", why: "KVM does not work here" };
  return {
    name: "qemu",
    why: "emulated CPUs: KVM does not work here, and no User-Mode Linux kernel is built",
  };
};
