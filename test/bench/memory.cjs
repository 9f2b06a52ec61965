// Node loads this before Pulumi's SDK (`--require`). A provider's process keeps the most memory that it had, in MB, in the file LVS_MEMORY.
const { writeFileSync } = require("node:fs");

if (/dynamic-provider/.test(process.argv.join(" "))) {
  const note = () =>
    writeFileSync(String(process.env.LVS_MEMORY), String(process.resourceUsage().maxRSS / 1024));
  setInterval(note, 200).unref();
}
