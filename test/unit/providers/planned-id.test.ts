import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import type { Definition } from "../../../providers/engine/define.js";
import { checkInputs } from "../../../providers/engine/inputs.js";
import { IpForwarding, RealServer, Sysctl, VirtualService } from "../../../providers/index.js";
import { definitions } from "../../support/fake/definitions.js";
import { withMocks } from "../../support/fake/mocks.js";

interface Seen {
  readonly isKnown: boolean;
  readonly value: unknown;
}

const seen = async (output: pulumi.Output<unknown>): Promise<Seen> => {
  const { isKnown, promise } = output as unknown as {
    isKnown: Promise<boolean>;
    promise(): Promise<unknown>;
  };
  return { isKnown: await isKnown, value: await promise.call(output) };
};

/** Runs a program as a first preview does: Pulumi knows no id. */
async function preview<T>(run: (registered: Map<string, Record<string, unknown>>) => Promise<T>): Promise<T> {
  const registered = new Map<string, Record<string, unknown>>();
  return withMocks(
    ({ name, inputs }) => {
      registered.set(name, inputs);
      return { id: undefined as never, state: inputs };
    },
    true,
    () => run(registered),
  );
}

const connection = { host: "director1" };
const id = "director1/tcp://192.168.0.219:80";

test("an id is known in a first preview, and a reference to it, too", async () => {
  await preview(async (registered) => {
    const web = new VirtualService("web", { connection, address: "192.168.0.219", port: 80 });
    expect(await seen(web.id)).toEqual({ isKnown: true, value: id });
    const server = new RealServer("one", { connection, service: web.id, address: "192.168.10.11", port: 80 });
    expect(await seen(server.service)).toEqual({ isKnown: true, value: id });
    expect(await seen(server.id)).toEqual({ isKnown: true, value: `${id}/192.168.10.11:80` });
    expect(registered.get("one")).toMatchObject({ service: id });
    expect(server.service.constructor).toBe(web.id.constructor);
  });
});

test("an id that an output takes part in is known as far as the output is", async () => {
  await preview(async () => {
    const address = pulumi.output("192.168.0.219");
    const host = pulumi.secret(Promise.resolve("director1"));
    const web = new VirtualService("web", {
      connection: pulumi.output({ host, password: pulumi.secret("hunter2") }) as never,
      address,
      port: 80,
    });
    expect(await seen(web.id)).toEqual({ isKnown: true, value: id });
    const other = new VirtualService("other", {
      connection: { host: web.urn.apply(() => "x") },
      address: "x",
      port: 0,
    });
    expect((await seen(other.id)).isKnown).toBe(false);
    const unknown = new Sysctl("unknown", { connection, name: other.id, value: "1" });
    expect((await seen(unknown.id)).isKnown).toBe(false);
  });
});

test("an id that follows from other fields is the one that up gives", async () => {
  await preview(async () => {
    const forwarding = new IpForwarding("one", { connection, sendRedirects: false });
    expect((await seen(forwarding.id)).value).toBe("director1/ip-forwarding/ipv4 redirects all");
  });
});

test.each([
  [
    "thresholds",
    { address: "192.168.10.11", port: 80, lowerThreshold: 6, upperThreshold: 5 },
    "lowerThreshold 6 is above upperThreshold, which is 5",
  ],
  [
    "a port that gatewaying leaves",
    { address: "192.168.10.11", port: 8080 },
    "port 8080 is not the service's 80, and gatewaying leaves ports as they are",
  ],
  [
    "another address family",
    { address: "2001:db8::11", port: 80 },
    "address 2001:db8::11 is not of the service's address family, which only tunneling allows",
  ],
])("the first preview refuses %s of a server behind the id of a new service", async (_, args, expected) => {
  await preview(async (registered) => {
    const web = new VirtualService("web", { connection, address: "192.168.0.219", port: 80 });
    const server = new RealServer("one", { connection, service: web.id, ...args });
    await seen(server.urn);
    const { __provider: _provider, ...inputs } = registered.get("one") ?? {};
    const { problems } = checkInputs(definitions.get("real-server") as Definition, inputs);
    expect(problems.map(({ path, reason }) => `${path} ${reason}`)).toEqual([expected]);
  });
});
