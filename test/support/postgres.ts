import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A PostgreSQL server on a socket in a folder of its own. */
export interface Postgres {
  /** Backend of Pulumi: a database of its own, for each call. */
  backend(): string;
  stop(): Promise<void>;
}

/** Debian keeps the programs of each version in a folder that is not on PATH. */
const bin = (): string | undefined => globSync("/usr/lib/postgresql/*/bin").filter(hasServer).sort().at(-1);

const hasServer = (folder: string) => existsSync(join(folder, "initdb"));

/** Why no server can be started here; undefined where one can. */
export const missingPostgres = (): string | undefined => {
  const missing = [
    ...(bin() ? [] : ["postgresql"]),
    ...(spawnSync("psql", ["--version"]).error ? ["postgresql-client"] : []),
  ];
  return missing.length > 0
    ? `there is no ${missing.join(" and no ")}: node scripts/setup.mjs --lab gets it`
    : undefined;
};

/** The server refuses root, so root starts it as the user that its package made. */
function account(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync("/etc/passwd", "utf8"));
  if (!line) throw new Error("there is no user postgres; install the package postgresql");
  return { uid: Number(line[1]), gid: Number(line[2]) };
}

const password = "planted-password";

/** Starts a server that goes with the caller's `stop`. */
export async function startPostgres(): Promise<Postgres> {
  const missing = missingPostgres();
  if (missing) throw new Error(missing);
  const programs = bin() as string;
  // A socket's path has at most 107 characters.
  const place = mkdtempSync(join(tmpdir(), "lvs-pg-"));
  const as = { ...account(), cwd: "/" };
  if (as.uid !== undefined && as.gid !== undefined) chownSync(place, as.uid, as.gid);
  chmodSync(place, 0o755);
  const data = join(place, "data");
  const options = ["-A", "trust", "-U", "lvs", "--no-sync", "--locale=C", "-E", "UTF8"];
  try {
    execFileSync(join(programs, "initdb"), ["-D", data, ...options], { ...as, stdio: "pipe" });
  } catch (error) {
    rmSync(place, { recursive: true, force: true });
    throw error;
  }
  const settings = ["listen_addresses=", "fsync=off", "log_min_messages=panic"].flatMap((one) => ["-c", one]);
  const server = spawn(join(programs, "postgres"), ["-D", data, "-k", place, ...settings], {
    ...as,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const end = () => server.kill("SIGQUIT");
  process.once("exit", end);
  const ask = (sql: string) =>
    execFileSync("psql", ["-X", "-q", "-h", place, "-U", "lvs", "-d", "postgres", "-c", sql], {
      stdio: "pipe",
    });
  const stop = async () => {
    const gone = new Promise((resolve) => server.once("close", resolve));
    process.off("exit", end);
    // Immediate shutdown: the data go too.
    if (server.exitCode === null && end()) await gone;
    rmSync(place, { recursive: true, force: true });
  };
  try {
    await answers(server, () => ask("SELECT 1"));
  } catch (error) {
    await stop();
    throw error;
  }
  let count = 0;
  return {
    backend: () => {
      const database = `state${++count}`;
      ask(`CREATE DATABASE ${database}`);
      return `postgres://lvs:${password}@/${database}?host=${place}&sslmode=disable`;
    },
    stop,
  };
}

async function answers(server: ChildProcess, ask: () => void): Promise<void> {
  const end = Date.now() + 120_000;
  for (;;) {
    try {
      return ask();
    } catch (error) {
      if (server.exitCode !== null || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
