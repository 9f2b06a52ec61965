// Installs what quick tests run besides node, where it is missing: node scripts/shells.mjs
import { installActionlint } from "./setup/actionlint.mjs";
import { installShells } from "./setup/packages.mjs";

await installShells();
await installActionlint();
