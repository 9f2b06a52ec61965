import type { TestedKind } from "./kind.js";

export const hostProbe: TestedKind = { right: [{ triggers: [1, { a: "b" }] }] };
