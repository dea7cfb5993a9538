"""Memory of preparing by the size of the corpus: one copy of some files beside ten.

    python benchmarks/prepare_memory.py --dataset ravdess --data-root data --files 144

The copies are links under names of their own, listed in a table. Each side is prepared by
`ser-aae prepare` in a process of its own, whose peak of resident memory the system knows.
Most of that peak is libraries, above all TensorFlow; so the growth is printed beside the size of
what was prepared more. The list of utterances is held whole, a few KB each; their sound is not.

This process imports nothing as heavy: see `measure_peak_mb`.
"""

import csv
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from measuring import MB, make_parser, measure_peak_mb

from data_prep.corpora import find_adapter
from data_prep.corpus import Corpus


@dataclass(frozen=True)
class Measured:
    """One side: the utterances, the size of their shards, and the peak memory."""

    utterances: int
    stored_mb: float
    peak_mb: float


def write_copies(corpus: Corpus, files: int, copies: int, folder: Path) -> Path:
    """Link up to `files` files, spread evenly over the corpus, so many times; return the table."""
    count = min(files, len(corpus.utterances))
    chosen = [corpus.utterances[i * len(corpus.utterances) // count] for i in range(count)]
    table = folder / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "speaker", "gender", "emotion"))
        for copy in range(copies):
            for number, utterance in enumerate(chosen):
                link = folder / f"copy{copy:03d}" / f"{number:05d}{Path(utterance.path).suffix}"
                link.parent.mkdir(exist_ok=True)
                link.symlink_to(utterance.audio_path(corpus.root).resolve())
                row = (link.relative_to(folder), utterance.speaker, utterance.gender)
                rows.writerow((*row, utterance.emotion))
    return table


def measure(corpus: Corpus, files: int, copies: int, workers: int) -> Measured:
    """Prepare so many copies in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        table = write_copies(corpus, files, copies, Path(name))
        store = Path(name, "store")
        words = ["prepare", "--dataset", f"csv:{table}", "--store", str(store)]
        command = [sys.executable, "-m", "ser_aae", *words, "--workers", str(workers)]
        peak_mb = measure_peak_mb(command)
        stored = sum(path.stat().st_size for path in store.rglob("*.tfrecord"))
        return Measured(copies * min(files, len(corpus.utterances)), stored / MB, peak_mb)


def main() -> None:
    """Measure and print both peaks and their ratio."""
    defaults = {"dataset": "ravdess", "data_root": Path("data"), "files": 144}
    arguments = make_parser(__doc__, **defaults, copies=10, workers=1).parse_args()
    corpus = find_adapter(arguments.dataset).read(arguments.data_root, allow_partial=True)
    one, many = (
        measure(corpus, arguments.files, copies, arguments.workers)
        for copies in (1, arguments.copies)
    )
    for side in (one, many):
        print(
            f"{side.utterances} utterances of {arguments.dataset}, {side.stored_mb:.1f} MB of "
            f"shards: peak {side.peak_mb:.1f} MB"
        )
    more_mb = many.peak_mb - one.peak_mb
    more_utterances = max(many.utterances - one.utterances, 1)
    print(
        f"{many.stored_mb - one.stored_mb:.1f} MB more prepared, {more_mb:.1f} MB more memory "
        f"({more_mb * 1024 / more_utterances:.1f} KB an utterance)"
    )
    print(f"ratio: {many.peak_mb / one.peak_mb:.3f}")


if __name__ == "__main__":
    main()
