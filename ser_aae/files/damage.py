"""Damage told apart from a refusal: what a reader raises of a file that it cannot make sense of."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_aae.errors import DamagedError, UserError
from ser_aae.extras import explain_missing
from ser_aae.files.refusals import explain_refusal


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, the error's kind where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]


@contextmanager
def damage_told(
    path: Path, mend: str, found: str = "damaged", kind: type[UserError] = DamagedError
) -> Iterator[None]:
    """Turn whatever the reader of a file raises into an error that says so, and what mends it.

    A changed byte leads anywhere in what reads archives and tables, so that every exception is one
    of damage. Only what is no fault of the file stays as it is: an error for the user, a file that
    may not be read, a package that is not installed.

    Args:
        path: The file that is read.
        mend: What mends it, the end of the message.
        found: What the file is then, before the reader's own reason.
        kind: The error to raise.

    Raises:
        UserError: The file is damaged; one of `kind`.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if explain_refusal(error) or explain_missing(error):
            raise
        raise kind(f"{path}: {found} ({first_line(error)}); {mend}") from error
