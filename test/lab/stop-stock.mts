/** Stops QEMU's machines at the end of their tests: emulated CPUs cost the computer time even when they are idle. */
export default () => async (): Promise<void> => {
  // this process is the lab's engine for all other projects
  process.env.LVS_LAB_ENGINE = "qemu";
  const { down } = await import("../support/machines/lab.mts");
  await down();
};
