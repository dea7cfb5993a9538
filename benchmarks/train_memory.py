"""Peak of resident memory of a training of two epochs, by the size of its batches."""

import sys
import tempfile
from pathlib import Path

from measuring import make_parser, measure_peak_mb


def main() -> None:
    """Measure and print."""
    data = Path("../shared/corpora")
    parser = make_parser(__doc__, dataset="ravdess", data_root=data, store=Path("store"))
    parser.add_argument("--batch-sizes", default="16,32,64,128", metavar="N,...")
    arguments = parser.parse_args()
    train = [sys.executable, "-m", "ser_aae", "train", "--dataset", arguments.dataset]
    train += ["--data-root", str(arguments.data_root), "--store", str(arguments.store)]
    train += ["--epochs", "2", "--set", "training.pretraining_epochs=1"]
    for size in arguments.batch_sizes.split(","):
        with tempfile.TemporaryDirectory() as runs:
            sized = ["--set", f"training.batch_size={size}", "--runs", runs]
            print(f"batch of {size:>4}: {measure_peak_mb([*train, *sized]):7.0f} MB", flush=True)


if __name__ == "__main__":
    main()
