import { shellText } from "../shell/index.js";

/** Shell functions that check one server again and again, in a process of its own that counts and writes its verdict down. */
export const rounds = shellText("health/rounds.sh");
