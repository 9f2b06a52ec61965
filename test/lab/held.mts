import { run } from "../support/machines/lab.mts";

/** Has the client begin a request, whose connection is there until it is let go. */
export const hold = async (address: string): Promise<void> => {
  const wait = "n=0; until [ -e /tmp/release ] || [ $n -gt 1600 ]; do n=$((n + 1)); sleep 0.5; done";
  const request = `printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n'; ${wait}; printf 'Connection: close\\r\\n\\r\\n'; sleep 3`;
  await run(
    "client",
    `rm -f /tmp/held /tmp/release; { (${request}) | timeout 900 nc ${address} 80; echo ended; } >/tmp/held 2>&1 </dev/null &`,
  );
};

/** Has the client end its request. */
export const letGo = () => run("client", "touch /tmp/release");

/** Breaks the connection off. */
export const breakOff = () => run("client", "touch /tmp/release; pkill -x nc; true", { allowFailure: true });

/** What the client was answered; empty while the request is held. */
export const answered = async (): Promise<string> => (await run("client", "cat /tmp/held")).stdout;
