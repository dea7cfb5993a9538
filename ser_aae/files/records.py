"""Kinds of JSON objects: the keys and types that are read of a file, and what is said of others."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ser_aae.errors import DamagedError


class Record(BaseModel):
    """Kind of a JSON object: its annotations are keys and types.

    A key with a default may be missing, and keys that are not named may be there.
    """

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, frozen=True)

    @classmethod
    def check(cls, content: Mapping[str, Any], where: str, mend: str) -> None:
        """Refuse an object of another kind.

        Raises:
            DamagedError: A key is missing, or a value is of another type; the message begins with
                `where` and ends with `mend`.
        """
        try:
            cls.model_validate(content)
        except ValidationError as error:
            raise DamagedError(f"{where}: {describe_mismatch(error)}; {mend}") from error


def describe_mismatch(error: ValidationError) -> str:
    """Return the first thing that a kind does not allow: its place, what was expected, came."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"expected {place}, found none"
    return f"{place}: {describe_expected(first['msg'])}, found {repr(first['input'])[:60]}"


def describe_expected(message: str) -> str:
    """Return Pydantic's words on a value that is none, as other errors say what they expected."""
    words = message.partition(", unable to")[0]
    return words.replace("Input should be", "expected").replace("a valid ", "a ")
