"""The terminal of a verb that another one runs: its documents are kept for the other's own."""

from __future__ import annotations

from sesmail.control.terminal import Terminal


class Silent(Terminal):
    """Answers in JSON, into ``documents``; what is for people goes to standard error."""

    def __init__(self) -> None:
        super().__init__(is_json=True)
        self.documents: list[object] = []

    def result(self, value: object) -> None:
        """Keep a document."""
        self.documents.append(value)
