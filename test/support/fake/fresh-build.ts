import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";

const repository = join(__dirname, "../../..");

const newest = (patterns: string[]): number =>
  Math.max(
    0,
    ...globSync(patterns, { cwd: repository }).map((file) => statSync(join(repository, file)).mtimeMs),
  );

/** Some tests look at what would be published, so it must be what the sources say. */
export default function freshBuild(): void {
  const sources = newest(["{src,providers,stacks,rollback,cli}/**/*.*", "index.ts", "tsconfig*.json"]);
  // The build writes this one last, and of the others only what has changed.
  const built = newest(["dist/stack.schema.json"]);
  if (built > sources) return;
  execFileSync("npm", ["run", "--silent", "build"], { cwd: repository, stdio: "inherit" });
}
