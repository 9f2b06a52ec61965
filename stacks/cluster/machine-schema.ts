import { z } from "zod";
import { mapOf, showGiven } from "../../src/values/problem.js";
import { sysctlName, sysctlText } from "../../src/values/sysctl-name.js";
import { isMemberName, noMemberName } from "./member-name.js";

// Fields of directors, of real servers, and of what is on them.

/** A part of the names of resources. @internal */
export const name = z.string().refine(isMemberName, noMemberName);

/** The sysctls of a machine. @internal */
export const sysctls = mapOf(
  sysctlName,
  z.union([sysctlText, z.number().int()], {
    error: ({ input }) => `${showGiven(input)} is neither a text nor a number`,
  }),
).optional();
