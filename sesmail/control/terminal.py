"""Where sesmailctl writes and asks: rich on a terminal, plain text elsewhere, JSON for machines.

With ``--json`` only ``result`` writes to standard output, a document a line; what else there is to
say goes to standard error. Whatever comes from mail, DNS or AWS is shown without characters that a
terminal obeys.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sesmail.sysexits import UsageError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

OK, WARNING, BROKEN = "ok", "warning", "broken"
_STYLES = {OK: "green", WARNING: "yellow", BROKEN: "bold red"}
_GAP = "  "


class Terminal:
    """The way to a person, or to a program (``is_json``)."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.is_json = is_json
        self.is_rich = sys.stdout.isatty() and not is_json
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """The console of rich, which takes 50 ms to import."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        return self._console

    # Saying.

    def say(self, text: str = "", style: str = "") -> None:
        """Write a line for a person."""
        if self.is_json:
            self.note(text)
        elif self.is_rich:
            self.console.print(visible(text), style=style or None)
        else:
            print(visible(text), flush=True)

    def write(self, texts: Iterable[str]) -> None:
        """Write texts, of a line or more each without its last end, however many: plain."""
        for text in texts:
            if not text.replace("\n", "").isprintable():
                text = "\n".join(map(visible, text.split("\n")))
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write a line to standard error: progress, advice."""
        print(visible(text), file=sys.stderr, flush=True)

    def result(self, value: object) -> None:
        """Write a document for a program; nothing without ``--json``."""
        if self.is_json:
            print(json.dumps(value, ensure_ascii=True, separators=(",", ":")), flush=True)

    def mark(self, level: str, text: str) -> None:
        """Write a line that begins with ``ok``, ``warning`` or ``broken``."""
        if self.is_rich:
            from rich.text import Text

            self.console.print(Text.assemble((f"{level:8}", _STYLES[level]), visible(text)))
        else:
            self.say(f"{level:8}{text}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write a table; plain text has columns as wide as what is in them."""
        if self.is_rich:
            self.console.print(self.drawn(columns, rows), soft_wrap=False)
            return
        cells = [[visible(cell) for cell in row] for row in (columns, *rows)]
        widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.say(_GAP.join(padded).rstrip())

    def records(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table whose cells are to be copied: a field a line where it would break them."""
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        room = sum(widths) + len(_GAP) * (len(columns) - 1)
        if not self.is_rich or room <= self.console.width:
            self.table(columns, rows)
            return
        width = max(map(len, columns))
        for number, row in enumerate(rows):
            if number:
                self.say()
            for column, cell in zip(columns, row, strict=True):
                self.say(f"{column:{width}}{_GAP}{cell}")

    def drawn(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
        """Return a table as rich draws it, for ``watch``."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(visible(cell)) for cell in row))
        return table

    # What takes longer.

    @contextlib.contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show that something goes on; the function that is yielded says what it is at."""
        if self.is_rich:
            with self.console.status(visible(text)) as status:
                yield lambda more: status.update(visible(more))
        else:
            last = [text]
            self.note(text)

            def update(more: str) -> None:
                if more != last[0]:
                    last[0] = more
                    self.note(more)

            yield update

    def watch(self, draw: Callable[[], RenderableType], seconds: float = 2.0) -> None:
        """Draw again and again, in place, until interrupted. Raises UsageError: no terminal."""
        if not self.is_rich:
            raise UsageError("--watch needs a terminal; leave it out, or use --json")
        from rich.live import Live

        with (
            contextlib.suppress(KeyboardInterrupt),
            Live(draw(), console=self.console, screen=True, auto_refresh=False) as live,
        ):
            while True:
                time.sleep(seconds)
                live.update(draw(), refresh=True)

    # Asking.

    def ask(self, question: str, flag: str, default: str = "") -> str:
        """Ask for a line; UsageError, which names the flag to use instead, without a terminal."""
        self._need_person(question, flag)
        shown = f"{question} [{default}]: " if default else f"{question}: "
        return self._asked(lambda: input(shown)).strip() or default

    def ask_secret(self, question: str, flag: str) -> str:
        """Ask for a line that is not shown."""
        self._need_person(question, flag)
        return self._asked(lambda: getpass.getpass(f"{question} (not shown): ")).strip()

    def confirm(self, question: str, flag: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        answer = self.ask(f"{question} ({'Y/n' if default else 'y/N'})", flag).lower()
        return answer.startswith("y") if answer else default

    @property
    def has_person(self) -> bool:
        """Tell whether somebody is there to be asked."""
        return not self.is_json and sys.stdin.isatty() and sys.stdout.isatty()

    def _need_person(self, question: str, flag: str) -> None:
        if not self.has_person:
            raise UsageError(f"nobody is there to be asked: {question}; use {flag}")

    def _asked(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except EOFError:
            raise UsageError("the input ended before everything was asked") from None


def visible(text: object) -> str:
    """Return text with ``?`` for what a terminal would obey instead of showing."""
    text = str(text)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else "?" for letter in text)
