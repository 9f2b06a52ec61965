import { NotRetriedError } from "../errors.js";
import type { Target } from "./target.js";

type SecretName = "password" | "privateKey" | "privateKeyPassword";

/** Returns a secret from the connection or from an environment variable. */
export function secretOf(
  { given, label }: Pick<Target, "given" | "label">,
  name: SecretName,
  by: `${SecretName}Env`,
): string | undefined {
  const variable = given[by];
  if (variable === undefined) return given[name] || undefined;
  const value = process.env[variable];
  if (value) return value;
  throw new NotRetriedError(
    label,
    `the environment variable ${variable} is not set`,
    `set it where pulumi runs, or take ${by} out of the connection`,
  );
}
