"""Mistakes of a user: what is said of them."""

import pytest

from ser_aae.errors import UserError


def error_of(call, *arguments, **named):
    """Return the message of the `UserError` that a call raises."""
    with pytest.raises(UserError) as caught:
        call(*arguments, **named)
    return str(caught.value)
