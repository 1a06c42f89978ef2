"""queue.db: what waits to be sent, what was sent, and everything that is known about it.

``schema`` opens it, ``store`` is the one writer, ``listing`` reads for others.
"""
