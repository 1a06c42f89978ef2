"""The submission half: from a caller's argv and standard input to an envelope and a message.

It runs as the caller, once per message, under ``python3 -IS``: it imports what the interpreter has
built in, no third-party package, and nothing of the delivery half. ``posix`` stands for ``os``,
which wraps it: that import alone would cost a seventh of a drop.
"""
