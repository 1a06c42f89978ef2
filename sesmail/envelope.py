"""The envelope (RFC 5321, section 2.3.1) and the form in which it travels between the two halves.

The delivery half reads one file: ``key value`` lines, a blank line, then the message.

    queue-id 0193A5…                    28 of 0-9 A-F: 48-bit milliseconds, 64 random bits
    identity example.com                name of the file in the credentials directory
    author wiki@example.com             first address of From, domain as A-labels
    reverse-path sue@example.com        empty: the null reverse-path; absent: none was given
    forward-path bob@example.org        once per recipient, in the order of the input
    not-before 1790000000000            no attempt before this moment, in milliseconds; absent: now
    verbose                             tell on stderr what became of it

Addresses are ASCII without controls: ``encode`` refuses anything else, so that a line cannot hold
two. The message has LF line ends and no dot-stuffing; its header section is as submission left it.
"""

from __future__ import annotations

from sesmail.sysexits import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

AMBIGUOUS_WAIT = 600_000  # milliseconds; what SES took shows up in that time, if it shows at all
LONGEST_LINE = 4096  # bytes; RFC 5321, 4.5.3.1.3 allows a path of 256


class Envelope:
    """Who sends one message through which identity, and to whom."""

    __slots__ = (
        "author",
        "forward_paths",
        "identity",
        "not_before",
        "queue_id",
        "reverse_path",
        "verbose",
    )

    def __init__(
        self,
        queue_id: str,
        identity: str,
        author: str,
        reverse_path: str | None,
        forward_paths: list[str],
        verbose: bool = False,
        not_before: int = 0,
    ) -> None:
        self.queue_id = queue_id
        self.identity = identity
        self.author = author
        self.reverse_path = reverse_path
        self.forward_paths = forward_paths
        self.verbose = verbose
        self.not_before = not_before

    def encode(self) -> bytes:
        """Return the envelope lines and the blank line after them.

        Raises DataError for a value that is not printable ASCII.
        """
        lines = [
            f"queue-id {self.queue_id}",
            f"identity {self.identity}",
            f"author {self.author}",
        ]
        if self.reverse_path is not None:
            lines.append(f"reverse-path {self.reverse_path}")
        lines += [f"forward-path {path}" for path in self.forward_paths]
        if self.not_before:
            lines.append(f"not-before {self.not_before}")
        if self.verbose:
            lines.append("verbose")
        for line in lines:
            if not (line.isascii() and line.isprintable()) or len(line) >= LONGEST_LINE:
                raise DataError(f"an address cannot be used: {line[:200]!a}")
        return ("\n".join(lines) + "\n\n").encode("ascii")


def decode(stream: BinaryIO) -> Envelope:
    """Read the envelope lines and the blank line; leave ``stream`` at the message.

    Raises DataError when the lines are not an envelope.
    """
    values: dict[str, str] = {}
    forward_paths: list[str] = []
    while line := stream.readline(LONGEST_LINE):
        if line == b"\n":
            break
        if not line.endswith(b"\n") or not line.isascii():
            raise DataError("not an envelope: a broken line")
        key, _, value = line[:-1].decode("ascii").partition(" ")
        if key == "forward-path":
            forward_paths.append(value)
        else:
            values[key] = value
    try:
        return Envelope(
            values["queue-id"],
            values["identity"],
            values["author"],
            values.get("reverse-path"),
            forward_paths,
            "verbose" in values,
            int(values.get("not-before", "0")),
        )
    except KeyError as missing:
        raise DataError(f"not an envelope: no {missing.args[0]}") from None
    except ValueError:
        raise DataError("not an envelope: not-before is no number") from None
