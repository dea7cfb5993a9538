"""Seals of JSON objects: a digest of all the rest, so that no changed value passes for the old one.

A file of before there were seals has none, and is read without.
"""

import json
from collections.abc import Mapping
from typing import Any

from ser_aae.errors import DamagedError
from ser_aae.files.digests import digest_of_plain

SEAL = "seal"
"""Key of the seal in an object."""


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values with their seal.

    Raises:
        ValueError: There is NaN or infinity in them, which JSON cannot say.
    """
    plain = json.loads(json.dumps(content, allow_nan=False))  # tuples are lists when read back
    return plain | {SEAL: digest_of_plain(plain, 16)}


def unseal(content: Mapping[str, Any], where: str, mend: str) -> dict[str, Any]:
    """Return the values without their seal.

    Raises:
        DamagedError: The seal is not theirs; the message begins with `where`, ends with `mend`.
    """
    plain = {key: value for key, value in content.items() if key != SEAL}
    if SEAL in content and content[SEAL] != digest_of_plain(plain, 16):
        raise DamagedError(f"{where}: changed since it was written, by its seal; {mend}")
    return plain
