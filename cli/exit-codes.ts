/** Exit codes that Pulumi does not use. */
export const exitCodes = {
  "rolled back": 10,
  "not rolled back": 11,
  "not the plan": 12,
  "a change refused": 13,
  "host not read": 14,
  "not movable": 15,
  "not moved": 16,
  "not level": 17,
} as const;
