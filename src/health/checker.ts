import { shellText } from "../shell/index.js";

/**
 * Shell functions that check one server once. POSIX sh; of curl only what every build of it has, but for telnet, which is done
 * without where it is missing. What a server, or a command, says is read through a pipe that is cut at 1 MB, and ends as numbers
 * and as words of one line: nothing of it is kept whole or read as anything else. A check that the director itself cannot do says
 * nothing on the server, or any local user who takes all local ports would take servers out; no server can bring that about.
 */
export const checker = shellText("health/checker.sh");
