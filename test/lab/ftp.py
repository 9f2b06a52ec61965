"""A small FTP server and its client, in passive mode.

  server ADDRESS PORT            answers with the text `a file`
  client ADDRESS PORT SOURCE     logs in, gets a file and prints it; on the same control connection it gets it again and again once there is a file /tmp/ftp.go
"""

import os
import socket
import sys
import threading
import time

role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


def serve(control):
    def say(text):
        control.sendall((text + "\r\n").encode())

    say("220 ready")
    for line in control.makefile():
        word = line.split(" ")[0].strip().upper()
        if word == "PASV":
            data = socket.create_server((address, 0))
            at = data.getsockname()[1]
            say("227 Entering Passive Mode (%s,%d,%d)" % (address.replace(".", ","), at // 256, at % 256))
        elif word == "RETR":
            with data.accept()[0] as connection:
                say("150 here it comes")
                connection.sendall(b"a file")
            data.close()
            say("226 done")
        else:
            say({"USER": "331 password", "PASS": "230 welcome"}.get(word, "200 fine"))


def get(control, answers, source):
    def ask(text):
        control.sendall((text + "\r\n").encode())
        return answers.readline().strip()

    answer = ask("PASV")
    numbers = answer[answer.index("(") + 1 : answer.index(")")].split(",")
    where = ".".join(numbers[:4]), int(numbers[4]) * 256 + int(numbers[5])
    control.sendall(b"RETR a\r\n")
    with socket.create_connection(where, 20, (source, 0)) as data:
        data.settimeout(20)
        text = data.makefile().read()
    return "%s from %s: %s" % (text, where[0], [answers.readline().strip() for _ in range(2)])


if role == "server":
    with socket.create_server((address, port)) as listening:
        while True:
            threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
source = sys.argv[4]
try:
    with socket.create_connection((address, port), 20, (source, 0)) as control:
        control.settimeout(20)
        answers = control.makefile()
        answers.readline()
        for word in ("USER a", "PASS a"):
            control.sendall((word + "\r\n").encode())
            answers.readline()
        while True:
            print(get(control, answers, source), flush=True)
            while not os.path.exists("/tmp/ftp.go"):
                # the other director gets the connection after some packets
                control.sendall(b"NOOP\r\n")
                answers.readline()
                time.sleep(0.5)
            time.sleep(2)
except OSError as error:
    print("failed: %s" % error, flush=True)
