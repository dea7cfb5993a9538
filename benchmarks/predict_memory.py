"""Memory of `ser-aae predict` by the length of a recording: a minute beside an hour.

    python benchmarks/predict_memory.py --model runs/.../fold00-rep00 *.wav

The recordings given are put one after the other, again and again, into one file of each length.
`ser-aae predict --timeline 1` reads it in a process of its own, whose peak of resident memory the
system knows; its table has a line for every second. Most of the peak is libraries.
"""

import csv
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import soundfile
from measuring import make_parser, measure_peak_mb


@dataclass(frozen=True)
class Measured:
    """A recording: its length, the peak and time of predicting, its steps, those with speech."""

    audio_s: float
    peak_mb: float
    seconds: float
    steps: int
    spoken: int

    @property
    def text(self) -> str:
        """All of it in words."""
        return (
            f"{self.audio_s:.0f} s of sound: peak {self.peak_mb:.1f} MB, {self.seconds:.1f} s of "
            f"work (start-up included), {self.steps} steps of a second, of which {self.spoken} "
            f"have posteriors and {self.steps - self.spoken} are silent"
        )


def write_recording(files: Sequence[Path], seconds: int, path: Path) -> None:
    """Put recordings one after the other until there are so many seconds.

    Raises:
        SystemExit: Their rates or channels differ.
    """
    first = soundfile.info(files[0])
    form = first.samplerate, first.channels
    left = seconds * first.samplerate
    with soundfile.SoundFile(path, "w", *form, subtype="PCM_16") as out:
        for file in cycle(files):
            samples, rate_hz = soundfile.read(file, frames=left, dtype="int16", always_2d=True)
            if (rate_hz, samples.shape[1]) != form:
                sys.exit(f"{file}: expected {form[0]} Hz and {form[1]} channel(s) as {files[0]}")
            out.write(samples)
            left -= len(samples)
            if not left:
                return


def measure(model: Path, files: Sequence[Path], seconds: int) -> Measured:
    """Predict a recording of so many seconds, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as name:
        sound, table = Path(name, "long.flac"), Path(name, "timeline.csv")
        write_recording(files, seconds, sound)
        words = ["predict", str(model), str(sound), "--timeline", "1", "--csv", str(table)]
        begin = time.perf_counter()
        peak_mb = measure_peak_mb([sys.executable, "-m", "ser_aae", *words])
        took = time.perf_counter() - begin
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
        spoken = sum(row["silent"] == "False" for row in rows)
        return Measured(seconds, peak_mb, took, len(rows), spoken)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print both."""
    parser = make_parser(__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--minutes", type=int, default=60, help="of the longer recording")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="of one rate")
    options = parser.parse_args(arguments)
    short, long = (
        measure(options.model, options.files, 60 * minutes) for minutes in (1, options.minutes)
    )
    print(short.text, long.text, sep="\n")
    factor = (long.seconds - short.seconds) / max(long.audio_s - short.audio_s, 1)
    print(
        f"{long.peak_mb - short.peak_mb:.1f} MB more (ratio {long.peak_mb / short.peak_mb:.3f}); "
        f"real-time factor of what is longer {factor:.4f}"
    )


if __name__ == "__main__":
    main()
