"""The rows, by family."""

from __future__ import annotations

from tests.clients.program import Program
from tests.clients.programs import daemons, filters, git, mailers, perl, reports

ROWS: dict[str, Program] = {
    **perl.ROWS,
    **mailers.ROWS,
    **git.ROWS,
    **daemons.ROWS,
    **filters.ROWS,
    **reports.ROWS,
}
