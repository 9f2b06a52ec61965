import { shellText } from "../shell/index.js";
import { readers } from "./readers.js";

/**
 * The judgement: awk (POSIX; no quote ' may be in it) that reads whatever is known by the readers of readers.ts, and prints what is
 * to be done. It changes nothing itself and knows no clock, so it can be asked again with the lock held.
 *
 * In: what the supervisor passes on, then files of monitors (monitor-file.ts), records of what is declared (declared.ts), verdicts of
 * checks, lines of draining and of health, and what it kept of itself from last time.
 * Out: a line for each distinct check, `--`, and then `quiet`, or `do PHASE SERVICE VERB …` in order (table.ts), `health …`, `kept …`,
 * `log FILE TEXT`, `note TEXT`; in both cases `ignored TEXT` for each file with lines that do not fit.
 */
export const judge = readers + shellText("health/judge.awk");
