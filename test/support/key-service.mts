import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/*
 * Secrets of a stack are encrypted with a key. By a passphrase, each command of the CLI computes it by a million rounds, which is
 * a tenth of a preview. A key service tells it, and `hashivault` is the one whose address can be chosen.
 */

/** What `pulumi stack init --secrets-provider` is given. */
export const keyService = "hashivault://lab";

let address: Promise<string> | undefined;

/** Environment of the CLI for stacks of the key service, which this process serves from the first call on. */
export async function keyServiceEnv(): Promise<{ VAULT_SERVER_URL: string; VAULT_SERVER_TOKEN: string }> {
  address ??= start();
  return { VAULT_SERVER_URL: await address, VAULT_SERVER_TOKEN: "lab" };
}

// It has no key of its own: what it calls encrypted is what it was given.
const start = (): Promise<string> =>
  new Promise((resolve, reject) => {
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const part of request.setEncoding("utf8")) text += part;
      const { plaintext, ciphertext = "" } = JSON.parse(text) as Record<string, string>;
      const data =
        plaintext === undefined
          ? { plaintext: ciphertext.replace("vault:v1:", "") }
          : { ciphertext: `vault:v1:${plaintext}` };
      response.setHeader("Content-Type", "application/json").end(JSON.stringify({ data }));
    });
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
    server.unref();
  });
