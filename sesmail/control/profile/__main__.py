"""Prints the keys of a profile as JSON, as the user whose profile it is; see ``keys``."""

from __future__ import annotations

import json
import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../../..")))

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from sesmail.delivery import undumpable


def main(profile: str) -> None:
    """Print the keys, or why there are none."""
    undumpable.become_undumpable()
    json.dump(_answer(profile), sys.stdout)


def _answer(profile: str) -> dict[str, str]:
    session = botocore.session.Session(profile=profile)
    try:
        found = session.get_credentials()
        if found is None:
            return {"error": "it has no keys; aws configure, or aws sso login, makes some"}
        keys = found.get_frozen_credentials()
        region = session.get_config_variable("region") or ""
    except (BotoCoreError, ClientError, OSError) as error:
        return {"error": str(error)}
    return {
        "key_id": keys.access_key or "",
        "secret": keys.secret_key or "",
        "token": keys.token or "",
        "region": region,
    }


if __name__ == "__main__":
    main(sys.argv[1])
