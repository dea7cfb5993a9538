"""The place in which commands are typed."""

import pytest


@pytest.fixture(autouse=True)
def typed_in_an_empty_folder(empty_folder):
    """Every test here."""
