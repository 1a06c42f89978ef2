"""sesmailctl, as ``sesmail.launch`` runs it: by its file, whichever Python that is."""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../..")))

from sesmail.control.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
