// Installs the shells that quick tests run scripts in, where one is missing: node scripts/shells.mjs
import { installShells } from "./setup/packages.mjs";

await installShells();
