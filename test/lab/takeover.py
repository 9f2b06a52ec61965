"""Holds connections to VIPs while they move between directors, and asks for new ones.

Arguments: how many connections to hold to each VIP, and VIP,SOURCE for each. A held connection sends a request each second. It is replaced
when it is lost. A new connection begins each quarter of a second, and counts if it is answered within a second.

A file has a number and a verb. The file of answers then begins with that number:
  begin   counts anew
  renew   replaces half of the held connections; they are young until the next one
  ports   prints VIP and port of each held connection
  verify  waits for an answer on each, asked for from now on, and prints a line for each VIP: the longest time without an answer on a new
          connection, the old connections held and lost, and the young ones held and lost; then a line for each that was lost
"""

import os
import socket
import sys
import threading
import time

count = int(sys.argv[1])
command, answers = "/tmp/takeover.do", "/tmp/takeover.done"
request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
lock = threading.Lock()


def ask(connection):
    connection.sendall(request)
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece:
            raise OSError("the connection was closed")
        text += piece


class Held:
    """A connection that is held. `asked` is when it sent the last request that was answered."""

    def __init__(self, target):
        self.target, self.asked, self.young, self.renew, self.port = target, 0.0, False, False, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            self.asked, self.renew, answered = 0.0, False, False
            try:
                with self.target.connect(60) as connection:
                    # longer than the kernel waits between two tries after a long failure
                    connection.settimeout(120)
                    self.port = connection.getsockname()[1]
                    while not self.renew:
                        now = time.monotonic()
                        ask(connection)
                        self.asked, answered = now, True
                        time.sleep(1)
            except OSError as error:
                # one that was never there is not lost
                if answered:
                    with lock:
                        self.target.lost.append((self.young, str(error)))
                time.sleep(0.5)


class Target:
    """A VIP. `fresh` is when the last new connection began that was answered, and `last` when its answer came."""

    def __init__(self, words):
        self.vip, self.source = words.split(",")
        self.fresh, self.last, self.gap, self.lost = 0.0, time.monotonic(), 0.0, []
        self.held = [Held(self) for _ in range(count)]
        threading.Thread(target=self.run, daemon=True).start()

    def connect(self, seconds):
        return socket.create_connection((self.vip, 80), seconds, (self.source, 0))

    def run(self):
        while True:
            threading.Thread(target=self.begin, daemon=True).start()
            time.sleep(0.25)

    def begin(self):
        begun = time.monotonic()
        try:
            with self.connect(1) as connection:
                ask(connection)
        except OSError:
            return
        with lock:
            now = time.monotonic()
            self.gap, self.last, self.fresh = max(self.gap, now - self.last), now, max(self.fresh, begun)

    def is_settled(self, moment):
        return self.fresh > moment and all(one.asked > moment and not one.renew for one in self.held)

    def report(self):
        lost = [sum(young == of for young, _ in self.lost) for of in (False, True)]
        young = sum(one.young for one in self.held)
        return "%.1f %d %d %d %d" % (self.gap, count - young, lost[0], young, lost[1])


targets = [Target(words) for words in sys.argv[2:]]
done = ""
while done[-4:] != "stop":
    time.sleep(0.2)
    if not os.path.exists(command):
        continue
    with open(command) as file:
        text = file.read().strip()
    if text == done:
        continue
    done = text
    number, verb = text.split(" ")
    moment = time.monotonic()
    if verb == "begin":
        with lock:
            for one in targets:
                one.gap, one.lost = 0.0, []
                for held in one.held:
                    held.young = False
    if verb == "renew":
        for one in targets:
            for held in one.held[::2]:
                held.young, held.renew = True, True
    if verb in ("renew", "verify"):
        while not all(one.is_settled(moment) for one in targets):
            time.sleep(0.2)
    with lock, open(answers + ".new", "w") as file:
        file.write(number + "\n")
        if verb == "verify":
            file.writelines(one.report() + "\n" for one in targets)
            file.writelines("lost %s: %s\n" % (one.vip, error) for one in targets for _, error in one.lost)
        if verb == "ports":
            file.writelines("%s %d\n" % (one.vip, held.port) for one in targets for held in one.held)
    os.rename(answers + ".new", answers)
