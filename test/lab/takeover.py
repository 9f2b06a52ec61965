"""Holds connections to a VIP while it moves between directors, and asks for new ones.

Arguments: the VIP, and how many connections to hold. Each sends a request each quarter of a second until a file says that it is enough. Another
one begins a connection for each request. The report tells how many held connections never failed, and the longest time without a new one.
"""

import os
import socket
import sys
import threading
import time

vip, count = sys.argv[1], int(sys.argv[2])
stop, report = "/tmp/takeover.stop", "/tmp/takeover.report"
request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"
ends = []


def answer(connection):
    connection.sendall(request)
    text = b""
    while b"\r\n\r\n" not in text or not text.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece:
            raise OSError("the connection was closed")
        text += piece


def hold():
    asked = 0
    try:
        with socket.create_connection((vip, 80), 60) as connection:
            connection.settimeout(120)
            while not os.path.exists(stop):
                answer(connection)
                asked += 1
                time.sleep(0.25)
        ends.append("")
    except OSError as error:
        ends.append("%s after %d answers" % (error, asked))


threads = [threading.Thread(target=hold) for _ in range(count)]
for thread in threads:
    thread.start()
last, gap, new = time.monotonic(), 0.0, 0
while not os.path.exists(stop):
    try:
        with socket.create_connection((vip, 80), 0.5) as connection:
            connection.settimeout(5)
            answer(connection)
        new += 1
        gap = max(gap, time.monotonic() - last)
        last = time.monotonic()
    except OSError:
        pass
    time.sleep(0.05)
for thread in threads:
    thread.join()
with open(report + ".new", "w") as file:
    file.write("new %d\ngap %.1f\n" % (new, gap))
    file.writelines("lost %s\n" % end if end else "held\n" for end in ends)
os.rename(report + ".new", report)
