import { assign } from "./index.js";

/**
 * What the shell text assumes of the machine it runs on: assignments at the head of each text. Tests set them
 * to a private tree and to short waits. They come from code only: no input of a user reaches them.
 */
export const realHost = {
  /** The folder that stands before every path. Empty on a host. */
  ROOT: "",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  /** Tries to take the host's lock, five in a second. */
  LOCK_TRIES: 300,
  /** Seconds between two of these tries. */
  LOCK_SECONDS: 0.2,
  /** Seconds between two rounds of the restore while it waits for modules and interfaces. */
  ROUND_SECONDS: 1,
  /** Seconds after which the restore no longer waits for what addresses depend on. */
  OVERDUE_SECONDS: 90,
  /** Seconds between two tries of a restore that failed. */
  RETRY_SECONDS: 10,
  /** Seconds after which it tries no more. */
  GIVE_UP_SECONDS: 3600,
  /** Rounds in which a complete restore watches for addresses that a network service removes. */
  WATCH_ROUNDS: 15,
  /** Seconds between two looks at the connections of a real server whose forwarding changed. */
  POLL_SECONDS: 5,
  /** Seconds between two rounds of the health agent. */
  PAUSE_SECONDS: 2,
  /** Seconds between two checks of a server instead of the interval of each check. */
  CHECK_SECONDS: "",
  /** Seconds between two looks of the health agent at what another of its processes has done. */
  LOOK_SECONDS: 0.1,
  /** Seconds for which a process holds the pipe that the health agent takes over, if the agent does not end it. */
  PIPE_SECONDS: 60,
} as const;

export type Surroundings = { readonly [name in keyof typeof realHost]: string | number };

/** Returns the head of a text that runs on hosts. */
export const headOf = (surroundings: Surroundings): string => assign(surroundings);
