"""Which file in the credentials directory serves an author: names only, never a secret.

For ``user@a.example.com``: the first that exists of ``user@a.example.com``, ``a.example.com``,
``example.com`` (each parent down to two labels, unless ``identity_lookup = exact``), ``default``.
Domains compare in lower case and as A-labels (RFC 5890, section 2.3.2.1). A name with anything but
letters, digits, ``-``, ``_`` and ``.`` is never looked up, so no address becomes a path.
"""

from __future__ import annotations

import posix

from sesmail.sysexits import NotPermitted

DEFAULT = "default"
LONGEST_NAME = 253  # RFC 1035, 2.3.4, as text
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def find(address: str, directory: str, lookup: str = "parents") -> str | None:
    """Return the name of the file in ``directory`` that serves ``address``, or None.

    Links are followed. The file need not be readable, but the directory must be searchable: else
    NotPermitted, for mail of an identity must not silently take another way.
    """
    for name in candidates(address, lookup):
        try:
            posix.stat(f"{directory}/{name}")
        except PermissionError:
            raise NotPermitted(
                f"cannot look for {name} in {directory}: permission denied; "
                f"chmod o+x {directory} and the directories above"
            ) from None
        except OSError:
            continue
        return name
    return None


def candidates(address: str, lookup: str = "parents") -> list[str]:
    """Return the names to look up for ``address``, most particular first."""
    local_part, _, domain = address.rpartition("@")
    names = []
    host = a_labels(domain)
    if _is_safe(host):
        if _is_safe(local_part):
            names.append(f"{local_part}@{host}")
        names.append(host)
        labels = host.split(".")
        if lookup == "parents":
            names += [".".join(labels[first:]) for first in range(1, len(labels) - 1)]
    names.append(DEFAULT)
    return names


def a_labels(domain: str) -> str:
    """Return ``domain`` in lower case, without a trailing dot, its U-labels as A-labels.

    What cannot be converted comes back unconverted: callers check for ASCII. So does what would
    become another name on the way, as a full-width at sign or comma in it would.
    """
    if not domain.isascii():
        domain = _encode_labels(domain)
    return domain.lower().removesuffix(".")


def _encode_labels(domain: str) -> str:
    # IDNA 2008 for what people write: NFKC, lower case, Punycode (RFC 3492). Rare: imported here.
    from unicodedata import normalize

    try:
        domain.encode()  # a surrogate stands for a byte that was no UTF-8
    except UnicodeError:
        return domain
    labels = normalize("NFKC", domain).lower().replace("\u3002", ".").removesuffix(".").split(".")
    encoded = ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
        for label in labels
    )
    return encoded if _has_safe_labels(encoded) else domain


def _is_safe(name: str) -> bool:
    """Tell whether ``name`` is a file's name and no path: safe characters and no empty label."""
    return len(name) <= LONGEST_NAME and _has_safe_labels(name)


def _has_safe_labels(name: str) -> bool:
    return _SAFE.issuperset(name) and all(name.split("."))
