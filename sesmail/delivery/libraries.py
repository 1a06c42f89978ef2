"""What the daemon's threads import late, one thread at a time.

Before Python 3.12 the interpreter holds its one lock for imports while it asks a finder of modules;
that of `six`, which botocore brings, then imports modules itself. Two threads that import what has
modules in common can so wait for each other for ever, and no mail goes out any more.
"""

from __future__ import annotations

import threading

# Held around each such import; held again by an import inside of one.
ONE_AT_A_TIME = threading.RLock()
