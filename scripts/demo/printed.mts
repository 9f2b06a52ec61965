// "pulumi-nodejs:dynamic/lvs:RealServer" is long, and its end is enough
const shortType = (type: string): string => type.replace(/^.*[:/]/, "");

const planned = / +(?:create|update|replace|delete)\b.*$/;

/** ` +  pulumi-nodejs:dynamic/lvs:HostRoute name create` as `+ HostRoute  name`, each once. */
export const resourceList = (output: string): string[] => {
  const lines = output.split("\n").filter((line) => /^ [+~-]/.test(line) && planned.test(line));
  return [...new Set(lines)].map((line) => {
    const [op = "", type = "", name = ""] = line.replace(planned, "").trim().split(/ +/);
    return `${op} ${shortType(type).padEnd(16)}${name}`;
  });
};

/** Of `preview --diff`, what is to change: resource, id and properties. */
export const changes = (output: string): string[] =>
  output
    .slice(0, output.indexOf("\nResources:"))
    .split("\n")
    .flatMap((line) => {
      const [, op, type] = /^ +([+~-]) (\S+): \(\w+\)/.exec(line) ?? [];
      if (op && type) return [`${op} ${shortType(type)}`];
      return /^ +(\[id=|[+~-] )/.test(line) ? [`    ${line.trim()}`] : [];
    });

/** Of any operation, how many resources: "10 to create", "1 updated, 14 unchanged". */
export const counts = (output: string): string => {
  const block = output.slice(output.lastIndexOf("\nResources:")).split("\n").slice(2);
  return block
    .slice(0, block.indexOf(""))
    .map((line) => line.replace(/^[ +~-]+/, ""))
    .join(", ");
};
