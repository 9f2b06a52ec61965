import { createServer } from "node:net";
import { AgentProtocol, type ParsedKey, utils } from "ssh2";
import type { KeyPair } from "./ssh-server.js";

interface SshAgent {
  /** Keys that it holds; may be exchanged at any time. */
  keys: readonly KeyPair[];
  /** How often it signed. */
  readonly signatures: number;
  close(): Promise<void>;
}

/** An SSH agent on a socket. */
export async function sshAgent(socket: string, ...keys: readonly KeyPair[]): Promise<SshAgent> {
  let signatures = 0;
  const agent = {
    keys,
    get signatures() {
      return signatures;
    },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
  const parsed = () =>
    agent.keys
      .map((key): ParsedKey | Error => utils.parseKey(key.private))
      .filter((key): key is ParsedKey => !(key instanceof Error));
  const server = createServer((stream) => {
    const protocol = new AgentProtocol(false);
    protocol.on("identities", (request) => protocol.getIdentitiesReply(request, parsed() as never));
    protocol.on("sign", (request, pubKey, data, { hash }) => {
      const key = parsed().find((one) => one.getPublicSSH().equals((pubKey as ParsedKey).getPublicSSH()));
      if (!key) return protocol.failureReply(request);
      signatures++;
      protocol.signReply(request, key.sign(data, hash));
    });
    protocol.on("error", () => undefined);
    stream.on("error", () => undefined);
    stream.pipe(protocol).pipe(stream);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return agent;
}
