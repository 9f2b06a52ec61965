"""Asks for a page again and again, and holds a few connections, until a file says that it is enough.

What it asks for is read anew each time, so that it may move to another VIP meanwhile: an address, its port if it is not 80, and then the address to
ask from. Of several lines each is asked in turn. Every request is a connection of its own; the held ones send a request each quarter of a second for
some seconds, are closed in good order, and begin again.
"""

import itertools
import os
import socket
import sys
import threading
import time

target, stop, report = "/tmp/load.target", "/tmp/load.stop", "/tmp/load.report"
hold = float(sys.argv[1])
least = int(sys.argv[2])
pause = float(sys.argv[3])
lock = threading.Lock()
counts = {"requests": 0, "held": 0}
servers = {}
targets = {}
turns = itertools.count()
seconds = []
failures = []


def done():
    return os.path.exists(stop) and (counts["requests"] >= least or len(failures) > 0)


def address():
    with open(target) as file:
        lines = file.read().splitlines()
    host, port, source = (lines[next(turns) % len(lines)] + "  ").split(" ")[:3]
    return host, int(port or 80), source


def failed(kind, where, error):
    with lock:
        failures.append("%s %s: %s at %s" % (kind, where[0], error, time.strftime("%H:%M:%S")))


def connect(where):
    host, port, source = where
    connection = socket.create_connection((host, port), 10, (source, 0) if source else None)
    connection.settimeout(10)
    return connection


def answer(connection, where, close):
    host = "[%s]" % where[0] if ":" in where[0] else where[0]
    request = "GET / HTTP/1.1\r\nHost: %s\r\nConnection: %s\r\n\r\n" % (host, "close" if close else "keep-alive")
    connection.sendall(request.encode())
    text = b""
    while True:
        head, blank, body = text.partition(b"\r\n\r\n")
        length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        if blank and length and len(body) >= int(length[0].split(b":")[1]):
            break
        piece = connection.recv(4096)
        if not piece:
            raise OSError("the connection was closed")
        text += piece
    if not head.startswith(b"HTTP/1.1 200 "):
        raise OSError(head.split(b"\r\n")[0].decode())
    return body.decode().strip()


def ask():
    while not done():
        where = address()
        begun = time.monotonic()
        try:
            with connect(where) as connection:
                name = answer(connection, where, True)
            with lock:
                seconds.append(time.monotonic() - begun)
                counts["requests"] += 1
                servers[name] = servers.get(name, 0) + 1
                targets[where[0]] = targets.get(where[0], 0) + 1
            # a client without any pause leaves no processor to what it is to watch
            time.sleep(pause)
        except OSError as error:
            failed("request to", where, error)


def keep():
    while not done():
        where = address()
        until = time.time() + hold
        try:
            with connect(where) as connection:
                while time.time() < until and not done():
                    answer(connection, where, False)
                    with lock:
                        counts["held"] += 1
                    time.sleep(0.25)
        except OSError as error:
            failed("held connection to", where, error)


threads = [threading.Thread(target=ask) for _ in range(4)] + [threading.Thread(target=keep) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(report + ".new", "w") as file:
    file.write("requests %d\nheld %d\n" % (counts["requests"], counts["held"]))
    seconds.sort()
    if seconds:
        file.write("latency %f %f %f\n" % (seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100], seconds[-1]))
    for name in sorted(servers):
        file.write("server %s %d\n" % (name, servers[name]))
    for host in sorted(targets):
        file.write("target %s %d\n" % (host, targets[host]))
    for line in failures:
        file.write("failed %s\n" % line)
os.rename(report + ".new", report)
