import { parseSysctl, sysctlPath } from "../values/sysctl-name.js";
import { factOf } from "./fact.js";

/** A sysctl's value as the kernel prints it, or undefined if the host has no such sysctl. */
export const sysctl = factOf({
  name: "sysctl",
  args: (name) => [sysctlPath(name)],
  parse: parseSysctl,
  shown: (name) => `the sysctl ${name}`,
});

/** Whether the host has saved the value of a setting, by the name of its claim. */
export const found = factOf({
  name: "found",
  args: (claim) => [claim],
  parse: (body) => body !== "",
  shown: (claim) => `/run/pulumi-lvs/${claim}/found`,
});
