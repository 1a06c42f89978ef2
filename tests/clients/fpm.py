"""php-fpm in a Machine, and the client side of FastCGI 1.0 that a web server would be.

A pool with Debian's own settings (clear_env: the programs it starts see USER and HOME, no PATH).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from pathlib import Path

from tests.clients.machine import Machine

_SOCKET = "var/fpm.socket"
_SETTINGS = f"""
[global]
error_log = /var/log/fpm.log
daemonize = yes
[www]
user = www-data
group = www-data
listen = /{_SOCKET}
pm = static
pm.max_children = 1
catch_workers_output = yes
; the tests change the files of the wiki
php_admin_value[opcache.enable] = 0
"""
_BEGIN, _PARAMS, _STDIN, _STDOUT, _END = 1, 4, 5, 6, 3


def start(machine: Machine) -> None:
    """Start the pool; php-fpm returns when it listens."""
    machine.write("/var/fpm.conf", _SETTINGS)
    machine.run(["php-fpm8.2", "--fpm-config", "/var/fpm.conf"], "root", check=True)


def request(
    machine: Machine, script: str, body: bytes = b"", query: str = "", cookie: str = ""
) -> tuple[list[str], bytes]:
    """POST `body` to the script; return the answer's header lines and its content."""
    directory, _, name = script.rpartition("/")
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": "POST",
        "SCRIPT_FILENAME": script,
        "SCRIPT_NAME": f"/{name}",
        "REQUEST_URI": f"/{name}?{query}",
        "DOCUMENT_ROOT": directory,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "wiki.example.com",
        "HTTP_COOKIE": cookie,
    }
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(100)
        connection.connect(str(_short(machine.root / _SOCKET)))
        begin = struct.pack("!HB5x", 1, 0)
        connection.sendall(_record(_BEGIN, begin) + _record(_PARAMS, _pairs(params)))
        connection.sendall(_record(_PARAMS, b"") + _record(_STDIN, body) + _record(_STDIN, b""))
        head, _, content = _answer(connection).partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), content


def _short(path: Path) -> Path:
    assert len(str(path)) < 108, "longer than a socket's name may be"
    return path


def _record(kind: int, content: bytes) -> bytes:
    assert len(content) < 1 << 16
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def _pairs(params: Mapping[str, str]) -> bytes:
    pairs = []
    for name, value in params.items():
        lengths = struct.pack("!BI", len(name), len(value) | 1 << 31)
        pairs.append(lengths + name.encode() + value.encode())
    return b"".join(pairs)


def _answer(connection: socket.socket) -> bytes:
    output = b""
    with connection.makefile("rb") as stream:
        while True:
            _, kind, _, length, padding = struct.unpack("!BBHHBx", stream.read(8))
            content = stream.read(length + padding)[:length]
            if kind == _STDOUT:
                output += content
            if kind == _END:
                return output
