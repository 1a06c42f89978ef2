"""``python -I -m sesmail.delivery.daemon``."""

from __future__ import annotations

import sys

from sesmail.delivery.daemon import main

if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
