"""Two programs: `serve NAME` answers each line on port 80 with a name, and `hold VIP,ADDRESS...` holds a connection from each address.

A held connection sends a line each second. One that is reset, or that has no answer for two minutes, is broken, and another takes its place. The
report has a line for each address: its port, the server that answered last, the number of answers, how many connections broke, and the longest wait
for an answer in seconds. It is written anew each half second.
"""

import os
import selectors
import socket
import sys
import time

selector = selectors.DefaultSelector()
report = "/tmp/ecmp.report"


def serve(name):
    listener = socket.create_server(("", 80), family=socket.AF_INET6, backlog=512, dualstack_ipv6=True)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ)
                continue
            try:
                text = key.fileobj.recv(4096)
                if text:
                    key.fileobj.sendall(name.encode() + b"\n")
            except OSError:
                text = b""
            if not text:
                selector.unregister(key.fileobj)
                key.fileobj.close()


class Held:
    """The connection of one address, and those that took its place."""

    def __init__(self, vip, address, start):
        self.vip, self.address, self.server = vip, address, "-"
        self.answers = self.broken = self.port = 0
        self.wait = 0.0
        self.connection, self.next = None, start

    def line(self):
        return self.address, self.port, self.server, self.answers, self.broken, self.wait

    def open(self):
        self.connection = socket.socket(socket.AF_INET6 if ":" in self.vip else socket.AF_INET)
        self.connection.setblocking(False)
        self.connection.bind((self.address, 0))
        self.connection.connect_ex((self.vip, 80))
        self.port = self.connection.getsockname()[1]
        self.waits = None
        selector.register(self.connection, selectors.EVENT_READ, self)

    def breaks(self, now):
        selector.unregister(self.connection)
        self.connection.close()
        self.connection, self.broken, self.next = None, self.broken + 1, now + 1

    def turn(self, now):
        if self.connection is None:
            if now >= self.next:
                self.open()
                self.next = now + 0.2
        elif self.waits is not None:
            if now - self.waits > 120:
                self.breaks(now)
        elif now >= self.next:
            try:
                self.connection.sendall(b"?\n")
                self.waits = now
            except BlockingIOError:
                # It is not established yet.
                self.next = now + 0.2
            except OSError:
                self.breaks(now)

    def read(self, now):
        try:
            text = self.connection.recv(4096)
        except OSError:
            text = b""
        if not text:
            self.breaks(now)
            return
        self.server = text.decode().split()[-1]
        self.answers += 1
        self.wait = max(self.wait, now - self.waits)
        self.waits, self.next = None, now + 1


def hold(pairs):
    begin = time.monotonic()
    # Not all in one moment: the machine has one processor.
    every = [Held(*pair.split(","), begin + i / len(pairs)) for i, pair in enumerate(pairs)]
    written = 0
    while True:
        events = selector.select(0.1)
        now = time.monotonic()
        for key, _ in events:
            key.data.read(now)
        for each in every:
            each.turn(now)
        if now - written > 0.5:
            written = now
            with open(report + ".new", "w") as file:
                for each in every:
                    file.write("%s %d %s %d %d %.1f\n" % each.line())
            os.rename(report + ".new", report)


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    hold(sys.argv[2:])
