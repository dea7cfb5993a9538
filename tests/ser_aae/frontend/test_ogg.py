"""Ogg files: whole ones are read, of any damage it is said where it is."""

import re
import struct

import numpy as np
import pytest
import soundfile
from sounds import RATE_HZ, noise

from ser_aae.errors import UserError
from ser_aae.frontend.audio import read_audio
from ser_aae.frontend.blocks import file_blocks
from ser_aae.frontend.ogg import find_ogg_damage


@pytest.fixture(params=["VORBIS", "OPUS"])
def path(request, tmp_path):
    """A whole recording of some pages."""
    soundfile.write(tmp_path / "a.ogg", noise(4.0), RATE_HZ, format="OGG", subtype=request.param)
    return tmp_path / "a.ogg"


def pages_of(content):
    """Cut a file into its pages; noise holds no mark of a page by chance."""
    starts = [found.start() for found in re.finditer(b"OggS", content)]
    return [content[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]


def checksum(page):
    """Compute a page's checksum bit by bit, as the standard defines it."""
    register = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x104C11DB7 if register >> 31 else 0)
    return register


def with_serial(page, serial):
    page = page[:14] + struct.pack("<I", serial) + page[18:]
    return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


def flip_bit(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :]


def delete(content):
    return content[: len(content) // 2] + content[len(content) // 2 + 300 :]


def zero(content):
    return content[: len(content) // 2] + bytes(300) + content[len(content) // 2 + 300 :]


def flip_mark(content):
    pages = pages_of(content)
    return b"".join([*pages[:3], b"oggS" + pages[3][4:], *pages[4:]])


def insert(content):
    pages = pages_of(content)
    return b"".join([*pages[:3], b"words", *pages[3:]])


def lose_page(content):
    pages = pages_of(content)
    return b"".join(pages[:3] + pages[4:])


def repeat_page(content):
    pages = pages_of(content)
    return b"".join(pages[:4] + pages[3:])


def lose_last_page(content):
    return b"".join(pages_of(content)[:-1])


def zero_last_page(content):
    *pages, last = pages_of(content)
    return b"".join([*pages, bytes(len(last))])


DAMAGE = {
    flip_bit: r"page \d+ is damaged",
    delete: r"page \d+ is damaged",
    zero: r"page \d+ is damaged",
    flip_mark: "page 4 is damaged",
    insert: "page 4 is damaged",
    lose_page: "pages are missing or out of order before page 4",
    repeat_page: "pages are missing or out of order before page 5",
    lose_last_page: "cut short",
    zero_last_page: r"page \d+ is damaged",
}


@pytest.mark.parametrize("spoil", DAMAGE, ids=lambda spoil: spoil.__name__)
def test_damage_is_told_with_its_page(path, spoil):
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(UserError, match=rf"a\.ogg: .*{DAMAGE[spoil]}.*fetch it again"):
        read_audio(path, RATE_HZ)
    with pytest.raises(UserError, match=DAMAGE[spoil]):
        list(file_blocks(path, RATE_HZ))


def test_every_page_has_the_checksum_of_the_standard(path):
    content = path.read_bytes()

    assert len(pages_of(content)) > 4
    for page in pages_of(content):
        assert checksum(page) == struct.unpack("<I", page[22:26])[0]
    assert find_ogg_damage(path) is None


def test_any_flipped_bit_is_found(path):
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << place % 8
        path.with_name("b.ogg").write_bytes(spoilt)
        is_ogg = spoilt[:4] == b"OggS"

        assert bool(find_ogg_damage(path.with_name("b.ogg"))) == is_ogg


def test_streams_that_take_turns_are_whole(path):
    pages = pages_of(path.read_bytes())
    others = [with_serial(page, 7) for page in pages]
    layout = [page for pair in zip(pages, others, strict=True) for page in pair]
    path.write_bytes(b"".join(layout))
    assert find_ogg_damage(path) is None
    assert read_audio(path, RATE_HZ, 0.0, 1.0).size == RATE_HZ

    path.write_bytes(b"".join(layout[:-3] + layout[-2:]))
    assert "missing" in find_ogg_damage(path)


@pytest.mark.parametrize("serial", [None, 7])
@pytest.mark.parametrize("end", [b"", b"TAG" + bytes(125)], ids=["", "tag"])
def test_streams_that_follow_one_another_are_not_read_in_part(path, serial, end):
    """libsndfile reads the first of them alone."""
    pages = pages_of(path.read_bytes())
    others = [page if serial is None else with_serial(page, serial) for page in pages]
    path.write_bytes(b"".join([*pages, *others, end]))

    with pytest.raises(UserError, match=r"follow one another in it, .*: ffmpeg -i") as caught:
        read_audio(path, RATE_HZ)
    with pytest.raises(UserError, match="follow one another"):
        list(file_blocks(path, RATE_HZ))
    assert "fetch" not in str(caught.value)

    path.write_bytes(b"".join([*pages, *others[:-1]]))
    assert "cut short" in find_ogg_damage(path)


def test_a_tag_behind_the_last_page_costs_nothing(path):
    whole = read_audio(path, RATE_HZ)
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(125))

    np.testing.assert_array_equal(read_audio(path, RATE_HZ), whole)


def test_a_file_that_changes_is_checked_anew(path):
    read_audio(path, RATE_HZ)
    path.write_bytes(delete(path.read_bytes()))

    with pytest.raises(UserError, match="is damaged"):
        read_audio(path, RATE_HZ)
