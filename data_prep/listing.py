"""Listing of a corpus in the layout of a store, without sound: enough to count what runs take."""

from pathlib import Path

import soundfile

from data_prep.corpora import corpus_name, find_adapter
from data_prep.manifest import Contents, write_manifest
from ser_aae.config import FrontEndConfig
from ser_aae.errors import UserError
from ser_aae.files.atomic import write_bytes
from ser_aae.files.digests import digest_of_file
from ser_aae.frontend.audio import OtherFormatError, read_channels, read_header
from ser_aae.frontend.spectrogram import num_frames
from ser_aae.progress import move_bar, open_bar
from ser_aae.store.corpus import corpus_folder
from ser_aae.utterance import Sound, Utterance

_SHARD = "shard-00000.tfrecord"


def write_listing(dataset: str, data_root: Path, store: Path, frontend: FrontEndConfig) -> None:
    """Write a corpus' utterances to a store that is thrown away, with a shard that is empty.

    Frames are those of the lengths that the recordings' headers state: pauses are counted too.

    Raises:
        UserError: No such corpus, or it cannot be read.
    """
    adapter, name = find_adapter(dataset), corpus_name(dataset)
    corpus = adapter.read(data_root, allow_partial=True)
    frames: list[int] = []
    with open_bar(len(corpus.utterances), f"lists {name}", "recordings") as bar:
        for utterance in corpus.utterances:
            frames.append(_stated_frames(utterance, corpus.root, frontend))
            move_bar(bar, len(frames))
    folder = corpus_folder(store, name, frontend)
    shard = folder / _SHARD
    write_bytes(shard, b"")
    row = {"file": _SHARD, "sha256": digest_of_file(shard), "bytes": 0, "records": len(frames)}
    unheard = [Sound("", "")] * len(frames)  # copies are told when the corpus is prepared
    contents = Contents(corpus.utterances, frames, unheard, corpus.dropped, (), [row])
    write_manifest(folder, name, adapter, frontend, corpus, contents)


def _stated_frames(utterance: Utterance, root: Path, frontend: FrontEndConfig) -> int:
    """Return the frames of a recording by its header; the fewest where that cannot be read."""
    try:
        duration_s = _duration_s(utterance.audio_path(root))
    except UserError:  # which `prepare` reports
        return num_frames(0, frontend)
    end_s = duration_s if utterance.end_s is None else utterance.end_s
    length_s = max(end_s - utterance.start_s, 0.0)
    return num_frames(round(length_s * frontend.sample_rate_hz), frontend)


def _duration_s(path: Path) -> float:
    try:
        return float(read_header(path).duration)
    except (soundfile.LibsndfileError, OtherFormatError):  # ffmpeg has to decode it
        samples, rate_hz = read_channels(path)
        return len(samples) / rate_hz
