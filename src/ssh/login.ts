import {
  type AnyAuthMethod,
  type AuthenticationType,
  type AuthHandlerMiddleware,
  BaseAgent,
  createAgent,
  type ParsedKey,
} from "ssh2";
import { NotRetriedError } from "../errors.js";
import { plainText } from "../values/foreign.js";
import { show } from "../values/problem.js";
import { isUnknown } from "./host-key.js";
import { isExplicit, keysOf } from "./keys.js";
import { secretOf } from "./secret.js";
import type { Target } from "./target.js";

/** The ways of a login, and the message if none of them works. */
export interface Login {
  readonly handler: AuthHandlerMiddleware;
  /** Returns what was tried, what could not be tried, and what the host accepts. */
  story(): string;
  /** Notes the agent's message when it failed. Another way may still work. */
  agentFailed(message: string): void;
  /** Notes that a key was skipped, because it would have signed with SHA-1. */
  sha1Refused(): void;
  /** The error that ends the login, whatever other errors say. */
  readonly trouble: NotRetriedError | undefined;
}

interface Way {
  readonly name: string;
  readonly method: AuthenticationType;
  readonly auth: AnyAuthMethod;
}

/** Returns the ways to log in, in their order: keys of files, the agent's keys, the password. */
export function loginOf(target: Target): Login {
  const { user: username, label } = target;
  const password = secretOf(target, "password", "passwordEnv");
  const { keys, blobs, notes } = keysOf(target);
  const explicit = isExplicit(target);
  const sha1 = target.given.insecureAllowSha1 === true;
  let trouble: NotRetriedError | undefined;
  const ways: Way[] = keys.map(({ name, key }) => ({
    name,
    method: "publickey",
    auth: { type: "publickey", username, key: sha1 ? key : withoutSha1(key) },
  }));
  // A key of the connection is the only one, but its private part may be in the agent.
  const only = explicit || target.identitiesOnly;
  if (target.agent !== undefined && (!only || blobs.length > (explicit ? keys.length : 0))) {
    const agent = new ChosenKeys(target.agent, blobs, only, sha1);
    ways.push({ name: "the agent", method: "publickey", auth: { type: "agent", username, agent } });
  }
  if (password !== undefined) {
    ways.push({
      name: "the password",
      method: "password",
      auth: { type: "password", username, password },
    });
    const answer = answering(
      password,
      (error) => {
        trouble = error;
      },
      label,
    );
    ways.push({
      name: "the password",
      method: "keyboard-interactive",
      auth: { type: "keyboard-interactive", username, prompt: answer },
    });
  }
  if (ways.length === 0) {
    throw new NotRetriedError(
      label,
      `there is no key, no agent and no password to log in with${notes.length > 0 ? ` (${notes.join(", ")})` : ""}`,
      `give privateKeyPath, start an SSH agent, or name an IdentityFile in the SSH configuration${isUnknown(target) ? "; the host's key is not known either: add it to known_hosts, or give it as hostKey" : ""}`,
    );
  }
  const tried: string[] = [];
  let takes: readonly string[] = [];
  const waiting = [...ways];
  return {
    handler: (left, _partial, next) => {
      if (left) takes = left;
      for (let way = waiting.shift(); way; way = waiting.shift()) {
        // A way that the host does not accept would only count as a failed attempt.
        if (left && !left.includes(way.method)) continue;
        if (!tried.includes(way.name)) tried.push(way.name);
        next(way.auth);
        return;
      }
      next(false as never);
    },
    story: () =>
      [
        ...(tried.length > 0 ? [`tried ${tried.join(", ")}`] : []),
        ...notes,
        ...(takes.length > 0 ? [`it takes ${plainText(takes.join(", "))}`] : []),
      ].join("; "),
    agentFailed: (message) => void notes.push(`the SSH agent failed: ${plainText(message)}`),
    sha1Refused: () =>
      void notes.push(
        "a key was passed over: the host takes signatures of RSA keys by SHA-1 only (insecureAllowSha1)",
      ),
    get trouble() {
      return trouble;
    },
  };
}

/**
 * Tells that an RSA key did not sign. A host that does not list its signature algorithms is old, and accepts
 * SHA-1 only. The library passes this error on with another message.
 */
export class OnlySha1Error extends Error {}

/** Returns a key that never signs with SHA-1. */
const withoutSha1 = (key: ParsedKey): ParsedKey =>
  Object.create(key, {
    sign: {
      value: (data: Buffer, hash?: string) => (hash === "sha1" ? new OnlySha1Error() : key.sign(data, hash)),
    },
  });

/** An agent that offers the wanted keys first, or only those. */
class ChosenKeys extends BaseAgent {
  readonly #agent: BaseAgent;

  constructor(
    socket: string,
    readonly wanted: readonly Buffer[],
    readonly only: boolean,
    readonly sha1: boolean,
  ) {
    super();
    this.#agent = createAgent(socket);
  }

  override getIdentities(callback: Parameters<BaseAgent["getIdentities"]>[0]): void {
    this.#agent.getIdentities((error, keys) => {
      if (error || !keys) return callback(error, keys);
      const isWanted = (key: unknown) =>
        this.wanted.some((blob) => blob.equals((key as ParsedKey).getPublicSSH()));
      const first = keys.filter(isWanted);
      callback(error, this.only ? first : [...first, ...keys.filter((key) => !isWanted(key))]);
    });
  }

  override sign(...args: unknown[]): void {
    const [options, callback] = args.slice(-2) as [{ hash?: string } | undefined, unknown];
    if (!this.sha1 && options?.hash === "sha1" && typeof callback === "function")
      return void callback(new OnlySha1Error());
    this.#agent.sign(...(args as Parameters<BaseAgent["sign"]>));
  }
}

type Prompt = Extract<AnyAuthMethod, { type: "keyboard-interactive" }>["prompt"];

/** Answers one hidden question with the password. Any other question ends the login. */
function answering(password: string, giveUp: (error: NotRetriedError) => void, label: string): Prompt {
  let answered = false;
  return (_name, _instructions, _language, prompts, answer) => {
    const [{ prompt, echo } = { prompt: "", echo: true }] = prompts;
    if (prompts.length === 1 && echo !== true && !answered) {
      answered = true;
      answer([password]);
      return;
    }
    giveUp(
      new NotRetriedError(
        label,
        `the login requires more than a password: ${show(prompt.trim())}`,
        "log in with a key, and turn other prompts off there",
      ),
    );
    answer(prompts.map(() => ""));
  };
}
