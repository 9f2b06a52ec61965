/**
 * Returns whether a member may have this name. It is part of resource names, which are in each line of a
 * preview or a CI log.
 */
export const isMemberName = (name: unknown): name is string =>
  typeof name === "string" && /^[A-Za-z0-9._:-]{1,200}$/.test(name);

export const noMemberName = "is not a name: letters, digits and . _ : - only, at most 200";
