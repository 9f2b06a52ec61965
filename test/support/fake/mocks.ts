import * as pulumi from "@pulumi/pulumi";

/** Runs a program of Pulumi without an engine. `newResource` answers each registration. */
export async function withMocks<Result>(
  newResource: pulumi.runtime.Mocks["newResource"],
  preview: boolean,
  run: () => Result | Promise<Result>,
): Promise<Result> {
  await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "project", "stack", preview);
  try {
    return await run();
  } finally {
    await pulumi.runtime.disconnect();
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "p",
      "s",
      false,
    );
    await pulumi.runtime.disconnect();
  }
}
