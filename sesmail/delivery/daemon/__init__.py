"""sesmaild: picks up what was dropped, and sends it when it is due.

One main thread (``loop``) owns the queue and decides; threads (``workers``) do what waits for the
network. ``main`` starts it all.
"""
