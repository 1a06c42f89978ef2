"""The rows, by family."""

from __future__ import annotations

from tests.clients.program import Program
from tests.clients.programs import git, mailers, perl

ROWS: dict[str, Program] = {**perl.ROWS, **mailers.ROWS, **git.ROWS}
