"""``python -I -m sesmail.control``."""

from __future__ import annotations

import sys

from sesmail.control import main

if __name__ == "__main__":
    sys.exit(main.main(sys.argv[1:]))
