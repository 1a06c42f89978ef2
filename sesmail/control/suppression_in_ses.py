"""The suppression list of an account in SES, read and changed by its API."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from sesmail.control import accounts
from sesmail.control.aws import Aws, AwsError
from sesmail.control.verb import Context
from sesmail.sysexits import EX_NOPERM

_PAGE = 1000  # the most that SES gives at once


def listed(context: Context, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield who is suppressed, in the form of the answer to the request ``suppression``.

    Raises AwsError where that is not allowed, or nobody answers.
    """
    for aws in accounts.of(context, arguments):
        page: dict[str, Any] = {"PageSize": _PAGE}
        while True:
            answer = aws.call("sesv2", "list_suppressed_destinations", **page)
            for one in answer.get("SuppressedDestinationSummaries", ()):
                yield {
                    "where": where(aws),
                    "address": one["EmailAddress"],
                    "reason": one["Reason"].lower(),
                    "since": one["LastUpdateTime"].timestamp(),
                    "text": "",
                }
            if not answer.get("NextToken"):
                break
            page["NextToken"] = answer["NextToken"]
        aws.close()


def remove(context: Context, arguments: argparse.Namespace, address: str) -> int:
    """Take an address off; say what came of it. Returns an exit code, for ours comes after that."""
    exit_code = 0
    for aws in accounts.of(context, arguments):
        try:
            aws.call("sesv2", "delete_suppressed_destination", EmailAddress=address)
            text, is_removed = "removed", True
        except AwsError as error:
            is_removed = False
            if error.code == "NotFoundException":
                text = "was not on the list"
            elif error.is_denied:
                text = "not removed: this key lacks the right ses:DeleteSuppressedDestination; "
                text += "use --admin-profile or --admin-key-id, or --here-only"
                exit_code = EX_NOPERM
            else:
                text = f"not removed: {error}"
                exit_code = error.exit_code
        context.terminal.result({"where": where(aws), "removed": is_removed, "text": text})
        context.terminal.say(f"{where(aws)}: {text}")
        aws.close()
    return exit_code


def where(aws: Aws) -> str:
    """Return what the list of this account is called here."""
    return f"SES in {aws.region}"
