/** Whether a member may have that name: it is part of resources' names, which are in every line of a preview and of a CI log. */
export const isMemberName = (name: unknown): name is string =>
  typeof name === "string" && /^[A-Za-z0-9._:-]{1,200}$/.test(name);

export const noMemberName = "is no name: letters, digits and . _ : - only, at most 200";
