"""Files of one pair of keys: Amazon's old ``AWSAccessKeyId=``, and the JSON of Secrets Manager."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sesmail.control.importing.account import Account, Kind
from sesmail.control.importing.source import Source

_OLD = re.compile(r"(?m)^[ \t]*AWSAccessKeyId[ \t]*=")


def _is_old(source: Source) -> bool:
    return bool(_OLD.search(source.text))


def _old(source: Source) -> Iterator[Account]:
    values: dict[str, str] = {}
    first = 0
    for line, text in source.lines():
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise source.error(line, "not of the form key=value")
        values[key] = value
        first = first or line
    key_id, secret = values.get("AWSAccessKeyId", ""), values.get("AWSSecretKey", "")
    obstacle = "" if key_id and secret else "there is no AWSAccessKeyId with an AWSSecretKey"
    yield Account(source.path, first, key_id=key_id, secret=secret, obstacle=obstacle)


def _is_json(source: Source) -> bool:
    return source.text.lstrip().startswith("{")


def _json(source: Source) -> Iterator[Account]:
    """Read what cdk-ses-smtp-secret keeps; of the two logins in it the one for the API."""
    try:
        found = json.loads(source.text)
    except json.JSONDecodeError as error:
        raise source.error(error.lineno, f"not JSON: {error.msg}") from None
    except RecursionError:
        raise source.error(0, "not JSON of this kind") from None
    if not isinstance(found, dict):
        raise source.error(0, "not a JSON object")
    values = {key: value for key, value in found.items() if isinstance(value, str)}
    pairs = (("access_key", "secret_access_key"), ("username", "password"))
    for key_id, secret in pairs:
        if values.get(key_id) and values.get(secret):
            yield Account(
                source.path,
                0,
                host=values.get("endpoint", ""),
                key_id=values[key_id],
                secret=values[secret],
            )
            return
    raise source.error(0, "there is no access_key with secret_access_key, or username, password")


OLD = Kind("aws-keys", (), _is_old, _old)
JSON = Kind("secrets-manager", (), _is_json, _json)
