"""`make bench`: what we cost, as multiples of what is done without us, and the bars.

    python -m tests.bench [relay | session | drop | pickup | drain | events | listing | scale | ...]

Ratios, not times, which say more about the machine. Exits with 1 where a bar is missed.
"""

from __future__ import annotations

import os
import shutil
import sys

from tests.bench import drain, drop, events, junk, listing, pickup, relay, scale, session
from tests.installation import install_once, make_session_directory

BENCHES = {
    "relay": relay,
    "session": session,
    "drop": drop,
    "pickup": pickup,
    "drain": drain,
    "events": events,
    "listing": listing,
    "scale": scale,
    "junk": junk,
}


def main(names: list[str]) -> int:
    """Measure, print a line for each ratio as it comes, and judge."""
    os.umask(0o022)
    top = make_session_directory()
    missed = []
    try:
        installed = install_once(top)
        for name in names or BENCHES:
            directory = top / name
            directory.mkdir()
            for row in BENCHES[name].measure(directory, installed):
                print(row.line(), flush=True)
                missed += [row.name] if row.is_missed() else []
    finally:
        shutil.rmtree(top)
    if missed:
        print("missed:", "; ".join(missed))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
