import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { plainText } from "../src/values/foreign.js";

/** Files that the CLI keeps in a backend. Names are relative to the backend. */
export interface BackendFiles {
  /** Returns the names in a folder. A folder that does not exist has none. */
  names(folder: string): Promise<readonly string[]>;
  /** Returns the content of a file that exists. */
  read(file: string): Promise<Buffer>;
}

/** Returns the files of a backend, or undefined if only the CLI reads it. */
export function filesOf(url: string): BackendFiles | undefined {
  if (url.startsWith("file://")) return inFolder(fileURLToPath(url));
  return url.startsWith("postgres://") ? inDatabase(url) : undefined;
}

const inFolder = (root: string): BackendFiles => ({
  names: (folder) =>
    readdir(join(root, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw new Error(`cannot read the backend's history: ${error.message}`);
    }),
  read: (file) => readFile(join(root, file)),
});

/** The CLI keeps each file as a row. A key begins with the name of the database. */
function inDatabase(url: string): BackendFiles {
  const { table, prefix, env } = databaseOf(url);
  const select = (sql: string, value: string) => psql(sql.replace("TABLE", table), `${prefix}${value}`, env);
  return {
    names: async (folder) => {
      const sql = "SELECT substr(key, length(:'value') + 1) FROM TABLE WHERE starts_with(key, :'value')";
      return (await select(sql, `${folder}/`)).split("\n").filter(Boolean);
    },
    read: async (file) => {
      const text = await select("SELECT data->>'data' FROM TABLE WHERE key = :'value'", file);
      if (!text.trim()) throw new Error(`cannot read ${file} in the database: there is no such row`);
      return Buffer.from(text, "base64");
    },
  };
}

/** A variable of psql for each parameter of the URL that the CLI's driver knows too. */
const variables: Readonly<Record<string, string>> = {
  host: "PGHOST",
  port: "PGPORT",
  user: "PGUSER",
  password: "PGPASSWORD",
  dbname: "PGDATABASE",
  sslmode: "PGSSLMODE",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslrootcert: "PGSSLROOTCERT",
  connect_timeout: "PGCONNECT_TIMEOUT",
  application_name: "PGAPPNAME",
  options: "PGOPTIONS",
};

/** Returns how psql reaches the database of a URL. A password goes into no argument, because others see these. */
export function databaseOf(url: string): { table: string; prefix: string; env: Record<string, string> } {
  // The last "@" ends a password, as for the CLI.
  const [, user, password, host, port, path = "", query] =
    /^postgres:\/\/(?:([^:/?#]*)(?::([^/?#]*))?@)?(\[[^\]]*\]|[^:/?]*)(?::(\d+))?\/?([^?]*)(?:\?(.*))?$/.exec(
      url,
    ) ?? [];
  const plain = (text = "") => decodeURIComponent(text);
  const given = new URLSearchParams(query);
  const table = given.get("table") || "pulumi_state";
  // The CLI does not quote it either.
  if (!/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$/.test(table))
    throw new Error(`cannot read the backend's history: \`${table}\` is not a name of a table`);
  const database = plain(path).replace(/^\/+|\/+$/g, "");
  const parts = {
    // the driver of the CLI requires TLS, and psql alone only prefers it; both read PGSSLMODE
    sslmode: process.env.PGSSLMODE ? undefined : "require",
    user: plain(user),
    password: plain(password),
    host: plain(host).replace(/^\[|\]$/g, ""),
    port,
    dbname: database,
    ...Object.fromEntries(given),
  };
  const env = Object.entries(parts).flatMap(([name, value]) =>
    value && variables[name] ? [[variables[name], value] as const] : [],
  );
  return { table, prefix: database && `${database}/`, env: Object.fromEntries(env) };
}

function psql(sql: string, value: string, env: Record<string, string>): Promise<string> {
  const args = ["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-v", `value=${value}`];
  return new Promise((resolve, reject) => {
    const child = execFile(
      "psql",
      args,
      { env: { ...process.env, ...env }, maxBuffer: 1024 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
        const why = missing
          ? "psql is not installed; install the package postgresql-client"
          : `psql: ${plainText(stderr.trim().replaceAll(/\s*\n\s*/g, " "))}`;
        reject(new Error(`cannot read the backend's history: ${why}`));
      },
    );
    child.stdin?.on("error", () => undefined);
    // Variables are filled in here, and not in the option -c.
    child.stdin?.end(`${sql};\n`);
  });
}
