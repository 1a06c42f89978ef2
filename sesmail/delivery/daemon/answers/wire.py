"""How requests in JSON and their answers go over the socket.

A request is a line with an object: the field ``request`` has its name, others what it needs. The
answer is documents, one a line and in ASCII; the last is one of

    {"end":"ok"}
    {"end":"denied","text":…}      the client may not do this
    {"end":"error","text":…}       why it could not be done

An answer without such a line broke off. Nothing else begins as these do.
"""

from __future__ import annotations

END = '{"end":'
OK, DENIED, ERROR = "ok", "denied", "error"
