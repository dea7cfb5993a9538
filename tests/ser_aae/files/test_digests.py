"""Digests of a list that grows: those of the whole list."""

from ser_aae.files.digests import RowsDigest, digest_of_plain


def test_a_list_that_grows_has_the_digest_of_the_whole_at_any_time():
    rows = [{"b": 1.5e-7, "a": ["é", None]}, {}, {"epoch": 2, "a": {"z": 1, "y": True}}]
    digest = RowsDigest()
    assert digest.digits(16) == digest_of_plain([], 16)
    for count, row in enumerate(rows, start=1):
        digest.add(row)
        assert digest.digits(64) == digest_of_plain(rows[:count], 64)
