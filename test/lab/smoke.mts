import { afterAll } from "vitest";
import { down } from "../support/machines/lab.mts";
import "./dr.test.mts";
import "./nat.test.mts";
import "./reboot.test.mts";

// emulated CPUs cost the computer time even when they are idle
afterAll(down);
