"""Flags of several verbs: who the administrator is in AWS, and whom to ask for the DNS.

A module of its own, for ``aws`` and ``dns`` bring libraries that a command line need not wait for.
"""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add the flags by which an administrator says who he is and where."""
    add_who(parser)
    parser.add_argument("--region", metavar="REGION", help="the AWS region, such as eu-west-1")
    parser.add_argument("--endpoint-url", metavar="URL", help="another address of the API")


def add_who(parser: argparse.ArgumentParser) -> None:
    """Add those that say who he is; region and address are then those of the stored keys."""
    parser.set_defaults(region=None, endpoint_url=None)
    group = parser.add_argument_group("rights to set up (nothing of them is stored)")
    whose = group.add_mutually_exclusive_group()
    whose.add_argument("--admin-profile", metavar="NAME", help="a profile in your ~/.aws")
    whose.add_argument("--admin-key-id", metavar="ID", help="an access key; its secret is asked")
    group.add_argument(
        "--admin-secret-file",
        metavar="FILE",
        help="its secret, and in a second line the session token if it is temporary; - is stdin",
    )


def are_given(arguments: argparse.Namespace) -> bool:
    """Tell whether the command line says who the administrator is."""
    return bool(arguments.admin_profile or arguments.admin_key_id)


def add_nameserver(parser: argparse._ActionsContainer) -> None:
    """Add the flag that names a resolver."""
    parser.add_argument(
        "--nameserver",
        metavar="ADDRESS[:PORT]",
        default="",
        help="ask this name server instead of the system's",
    )
