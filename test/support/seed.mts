import fc from "fast-check";

// A run of the same commit tries the same cases, so that a green run stays green. LVS_SEED takes another number, and
// `random` looks for cases that no run has tried.
const seed = process.env.LVS_SEED || "20261129";
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
