// Node loads this before Pulumi's SDK (`--require`). It notes each connection that leaves this machine in the file LVS_SOCKETS.
const { appendFileSync } = require("node:fs");
const net = require("node:net");

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (/** @type {any[]} */ ...args) {
  // Node normalizes the arguments to a list, in which the options come first.
  const { host = "localhost", path } = [args[0]].flat()[0] ?? {};
  const isLocal = path !== undefined || /^(localhost|127\.|::1$|0\.0\.0\.0$)/.test(host);
  if (!isLocal) appendFileSync(String(process.env.LVS_SOCKETS), `${host}\n`);
  return connect.apply(this, /** @type {any} */ (args));
};
