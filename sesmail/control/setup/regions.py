"""Which regions have SES, as far as botocore knows; newer ones it does not."""

from __future__ import annotations

from difflib import get_close_matches

import botocore.session

_SERVICE = "sesv2"


def doubt(region: str) -> str:
    """Return a line where SES is not known to be in ``region``; "" where it is."""
    session = botocore.session.Session()
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions(_SERVICE, partition)
    }
    if region in known:
        return ""
    near = get_close_matches(region, sorted(known), 1)
    meant = f"; {near[0]} is meant?" if near else ""
    return f"SES is not known to be in a region {region}{meant}"
