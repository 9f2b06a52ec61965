import { HostError, NotReachedError, NotRetriedError } from "../errors.js";
import { plainText } from "../values/foreign.js";
import type { Target } from "./target.js";

type DialFault = Error & { level?: string; code?: string };

/** Returns the error of a host that starts or stops and accepts no login at this time. `greeting` is what it sends. */
export const notYetUp = (target: Target, greeting: string): HostError =>
  new HostError(target.label, `it accepts no login yet: ${greeting}`, "wait until it is up");

/** Returns the error of a failed connection. `story` lists the logins that were tried. */
export function dialError(target: Target, story: string, error: DialFault): HostError {
  // The other side's words, before any key was checked.
  const words = plainText(error.message || error.code || "");
  const where = `${target.user}@${target.host}:${target.port}`;
  const tooMany = /Too many authentication failures/i.test(error.message);
  if (error.level === "client-authentication" || tooMany) {
    return new NotRetriedError(
      target.label,
      `login as ${where} was refused${tooMany ? " after too many tries" : ""}`,
      tooMany
        ? `name the right key by privateKeyPath, or set IdentitiesOnly in the SSH configuration (${story})`
        : `check user, privateKeyPath, agent or password, and that \`ssh\` gets in with them (${story})`,
    );
  }
  if (error.code === "ENOTFOUND")
    return new NotReachedError(target.label, `no such host (${target.host})`, "check connection.host");
  if (/no matching/i.test(error.message)) {
    return new NotRetriedError(
      target.label,
      `there is no algorithm in common with its sshd: ${words}`,
      `allow curve25519-sha256, aes256-gcm@openssh.com and ssh-ed25519 in its sshd_config${target.given.insecureAllowSha1 ? "" : ", or, where it knows SHA-1 only, set insecureAllowSha1: true"}`,
    );
  }
  return new HostError(
    target.label,
    `cannot be reached at ${where}: ${words}`,
    "check that it is up, that sshd listens there and that no firewall is between",
  );
}
