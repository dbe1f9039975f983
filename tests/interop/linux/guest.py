#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs commands in a guest.

guest.py serve             in the guest: takes them on TCP port 7000
guest.py ask HOST COMMAND  on the host: runs a line of shell, prints its output, ends as it ended

The command goes over as it is, up to the end of that half of the connection; back come the output
and, in the last byte, the status. Only for namespaces that nobody else can enter.
"""
import socket
import socketserver
import subprocess
import sys

PORT = 7000
PATIENCE_S = 60


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        command = self.rfile.read().decode()
        try:
            done = subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=PATIENCE_S)
            output, status = done.stdout, done.returncode & 255
        except subprocess.TimeoutExpired as late:
            output, status = (late.stdout or b"") + b"timed out\n", 124
        self.wfile.write(output + bytes([status]))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ask(host, command):
    with socket.create_connection((host, PORT), 5) as connection:
        connection.settimeout(PATIENCE_S + 5)
        connection.sendall(command.encode())
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as reader:
            answer = reader.read()
    sys.stdout.buffer.write(answer[:-1])
    return answer[-1] if answer else 125


if sys.argv[1] == "serve":
    Server(("0.0.0.0", PORT), Handler).serve_forever()
else:
    sys.exit(ask(*sys.argv[2:4]))
