import { step } from "./output.mts";
import { pulumi } from "./pulumi.mts";

const brief = ["--suppress-outputs", "--suppress-progress"];

/** Stacks that may have put something on the hosts. */
export const deployed = new Set<string>();

/** Makes an empty stack in the demo's backend. */
export const init = (stack: string): Promise<string> =>
  step(`pulumi stack init ${stack}`, () => pulumi("stack", "init", "--no-select", stack));

/** Says what `up` would do, without a word to the hosts. */
export const preview = (stack: string, ...more: string[]): Promise<string> =>
  step(`pulumi preview --stack ${stack}${more.map((word) => ` ${word}`).join("")}`, () =>
    pulumi("preview", "--stack", stack, ...brief, ...more),
  );

/** Has the hosts be what the configuration says. */
export const up = async (stack: string): Promise<string> => {
  deployed.add(stack);
  return step(`pulumi up --stack ${stack}`, () =>
    pulumi("up", "--stack", stack, "--yes", "--skip-preview", ...brief),
  );
};

/** Takes everything of a stack from the hosts. */
export const destroy = async (stack: string): Promise<string> => {
  const output = await step(`pulumi destroy --stack ${stack}`, () =>
    pulumi("destroy", "--stack", stack, "--yes", "--skip-preview", ...brief),
  );
  deployed.delete(stack);
  return output;
};

/** Changes a value of the stack's configuration. */
export const configure = (stack: string, path: string, value: string): Promise<string> =>
  step(`pulumi config set --path '${path}' ${value}`, () =>
    pulumi("config", "set", "--stack", stack, "--path", path, value),
  );
