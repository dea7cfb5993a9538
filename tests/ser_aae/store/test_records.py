"""Records of spectrograms: the same bytes everywhere, and read back as written."""

import hashlib
import os

import numpy as np
import pytest
import tensorflow as tf
from processes import run_code

from ser_aae.store.records import parse, serialise

BINS = 5


def read(record, bins=BINS):
    index, spectrogram = parse(tf.constant(record), bins)
    return int(index), spectrogram.numpy()


def draw(frames):
    values = np.random.default_rng(frames).normal(-40, 20, (frames, BINS))
    return values.astype(np.float32)


@pytest.mark.parametrize(("index", "frames"), [(0, 1), (7, 40), (2**40, 3)])
def test_a_record_comes_back_as_float16(index, frames):
    written = draw(frames)
    found_index, found = read(serialise(index, written))
    assert found_index == index
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, written.astype(np.float16))


def test_half_precision_is_close_to_what_was_measured():
    written = draw(200)
    _, found = read(serialise(0, written))
    # 11 bits: 1/32 dB at 64 dB, far under what can be heard
    assert np.abs(found.astype(np.float32) - written).max() <= 1 / 16


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", ">f2"])
def test_bytes_do_not_depend_on_how_the_array_lies_in_memory(dtype):
    plain = draw(9).astype(np.float16)
    record = serialise(3, plain)
    assert serialise(3, plain.astype(dtype)) == record
    assert serialise(3, np.asfortranarray(plain.astype(dtype))) == record


def test_index_and_values_change_the_record():
    plain = draw(9)
    changed = plain.copy()
    changed[4, 2] += 1
    assert len({serialise(0, plain), serialise(1, plain), serialise(0, changed)}) == 3


def test_frames_and_bins_are_not_exchanged():
    _, found = read(serialise(0, np.arange(10).reshape(2, BINS)))
    np.testing.assert_array_equal(found, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])


def test_another_number_of_bins_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        read(serialise(0, draw(9)), bins=BINS + 1)


def test_a_record_of_something_else_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError):
        read(tf.train.Example().SerializeToString())


def test_parsing_works_inside_a_dataset():
    records = [serialise(row, draw(row + 1)) for row in range(4)]
    dataset = tf.data.Dataset.from_tensor_slices(records).map(lambda record: parse(record, BINS))
    found = [(int(index), sound.shape) for index, sound in dataset.as_numpy_iterator()]
    assert found == [(row, (row + 1, BINS)) for row in range(4)]


def test_the_fields_are_written_in_a_fixed_order():
    """The map of an example has an order of its own in each process; a file needs one."""
    record = serialise(3, draw(9))
    places = [record.index(name) for name in (b"frames", b"index", b"spectrogram")]
    assert places == sorted(places)


def test_another_process_writes_the_same_bytes():
    code = (
        "import hashlib, numpy as np; from ser_aae.store.records import serialise\n"
        "sound = np.arange(60, dtype=np.float32).reshape(12, 5)\n"
        "print(hashlib.sha256(serialise(11, sound)).hexdigest())"
    )
    done = run_code(code, env=os.environ | {"PYTHONHASHSEED": "12345"})
    here = serialise(11, np.arange(60, dtype=np.float32).reshape(12, 5))
    assert done.stdout.split() == [hashlib.sha256(here).hexdigest()]
