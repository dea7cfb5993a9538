"""Errors that the user can mend, as opposed to a fault of this program."""


class UserError(Exception):
    """Something the user gave cannot be used; the message says what, where and what mends it.

    The command line prints the message alone, without a traceback, and exits with 2.
    Write messages as: what was expected, what came, where (file, line), what mends it.
    """


class ModelError(UserError):
    """A trained model cannot be used for any recording; the message names the model."""


class DamagedError(UserError):
    """A file that this program wrote is not as it was written: damaged, changed, or gone."""
