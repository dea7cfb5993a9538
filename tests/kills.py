"""Commands killed at random moments, and given again: a table of what became of them.

    make kills
    PYTHONPATH=. .venv/bin/python tests/kills.py --only train export --kills 5

Each command works on the smallest corpora of the tests. It runs once undisturbed. Then it is killed
again and again, each time in an empty folder, at moments that are drawn from a seed and spread over
the undisturbed duration, by SIGKILL and by SIGTERM in turns, sent to the main process alone. After
each kill the script looks for processes that are still alive and for files that look whole and are
not. The same command is then run to its end, and its files are compared with the undisturbed ones.

A row of the table is written to `--out` for each command; the whole table is printed, and replaces
the one of `--page`. What is done is kept in `--place`: the same command goes on there. pytest does
not collect this file.
"""

import argparse
import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import soundfile
import tensorflow as tf
import tiny
import yaml
from processes import MOST_SECONDS, ROOT

from ser_aae.errors import UserError
from ser_aae.files.atomic import read_jsonl
from ser_aae.inference.exported_model import load_exported
from ser_aae.inference.recogniser import Recogniser
from ser_aae.labels import FOUR
from ser_aae.results.evaluation import evaluate
from ser_aae.results.folder import find_experiments, is_complete
from ser_aae.store.corpus import MANIFEST, load_corpus

MARK = "SER_AAE_KILLED"
"""Variable that all processes of a command inherit, wherever they are in the tree."""

PATIENCE_S = 10.0
"""Seconds after the signal within which every process has to be gone."""

MAY_DIFFER = {
    *("seconds", "pretraining_seconds", "finished", "created", "data_root"),
    *("seal", "epochs.jsonl"),
}
"""Keys of JSON whose values may differ: times, the folder that each kill has of its own, and the
digests over these, a file's seal and that of the log, which are compared by what they hold."""

PAGE_MARK = "<!-- make kills -->"
"""Line of a page that the table follows."""

NETWORK = (
    *("data.segment_frames=64", "data.evaluation_shift_frames=32", "model.filters=4,4"),
    *("model.dense_units=8,8", "model.latent_channels=4", "training.batch_size=16"),
)
FRONT_END = ("frontend.bins=32", "frontend.scale=linear")

TRAINED = Path("trained", "fold00-rep00")
"""The run that is exported."""

EXPORTED = "exported/"
"""Folder of the exported files, below that of a kill."""

RECORDINGS = 640
"""Recordings to prepare: five shards."""


def settings(*assignments: str) -> list[str]:
    """Return settings as words of a command line."""
    return [word for each in assignments for word in ("--set", each)]


@dataclass(frozen=True)
class Case:
    """A command to kill.

    Attributes:
        words: Number of a kill to the command line, which runs in a folder of its own: what it
            shares with others lies two folders above.
        compared: Description of the files that are compared with the undisturbed ones.
        variants: Number of command lines that the kills go through in turns.
    """

    name: str
    words: Callable[[int], list[str]]
    compared: str
    variants: int = 1


@dataclass(frozen=True)
class Kill:
    """Outcome of one kill; empty lists are as it should be.

    Attributes:
        after_s: Seconds from the command's start to the signal.
        gone_s: Seconds from the signal until no process of the command was alive.
        orphans: Command lines of the processes that were alive after `PATIENCE_S`.
        damaged: Files that look whole and are not.
        code: Exit code of the same command, given again.
        different: Files that differ from the undisturbed ones, or are missing.
        left: Files that an undisturbed command does not leave.
    """

    number: int
    signal: str
    after_s: float
    gone_s: float
    orphans: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    code: int = 0
    different: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def _train(_number: int) -> list[str]:
    words = ["train", "--dataset", "tiny", "--auxiliary", "voices", "--protocol", "loso-session"]
    epochs = ("training.pretraining_epochs=3", "training.epochs=4")
    return [*words, *settings(*FRONT_END, *NETWORK, *epochs), "--store", "../../store"]


def _tune(_number: int) -> list[str]:
    words = ["tune", "--dataset", "tiny", "--protocol", "loso-session", "--model", "cnn"]
    words += ["--space", "latent,rate", "--trials", "4", "--workers", "2"]
    epochs = "training.epochs=1"
    return [*words, *settings(*FRONT_END, *NETWORK, epochs), "--store", "../../store"]


def _reproduce(_number: int) -> list[str]:
    words = ["reproduce", "table-4", "--datasets", "tiny", "foreign", "--auxiliary", "none"]
    words += ["--budget", "smoke", "--workers", "2"]
    chosen = ("data.segment_frames=64", "data.evaluation_shift_frames=64")
    selection = "protocol.selection_fraction=0.5"
    return [*words, *settings(*FRONT_END, *chosen, selection), "--store", "../../store"]


def _prepare(_number: int) -> list[str]:
    return ["prepare", "--dataset", "csv:../../recordings/list.csv", "--workers", "2"]


def _export(number: int) -> list[str]:
    kinds = [("keras", ".keras"), ("saved-model", ""), ("onnx", ".onnx"), ("litert", ".tflite")]
    name, ending = kinds[number % len(kinds)]
    out = ["--format", name, "--out", f"{EXPORTED}model{ending}", "--store", "../../store"]
    return ["export", f"../../{TRAINED}", *out]


CASES = (
    Case("train", _train, "weights, predictions, figures, logs, stage 1"),
    Case("tune", _tune, "trials.json, best.yaml, weights, figures, logs"),
    Case("reproduce", _reproduce, "weights, predictions, figures, logs, setup"),
    Case("prepare", _prepare, "shards, utterances, manifest"),
    Case("export", _export, "names, signature, what the model answers", variants=4),
)


def make_place(place: Path) -> None:
    """Write the corpora that the commands share, and train the run that is exported."""
    if (place / TRAINED).exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    for seed, (corpus, speakers) in enumerate([("tiny", 8), ("foreign", 4), ("voices", 6)]):
        utterances = tiny.speakers_of(corpus, speakers)
        sounds = tiny.sounds_of(utterances, tiny.FRONTEND.bins, seed)
        tiny.write_corpus(place / "store", utterances, sounds)
    _write_recordings(place / "recordings")
    words = ["train", "--dataset", "tiny", "--protocol", "loso-session", "--model", "cnn"]
    words += settings(*FRONT_END, *NETWORK, "training.epochs=2")
    folder = place / "training"
    folder.mkdir()
    with (place / "training.txt").open("w") as said:
        _start([*words, "--store", "../store"], folder, said, "").wait()
    (run,) = (path.parent for path in folder.rglob("result.json"))
    run.parent.rename(place / TRAINED.parent)


def _write_recordings(folder: Path) -> None:
    draw = np.random.default_rng(0)
    (folder / "wav").mkdir(parents=True)
    rows = ["file,speaker,gender,emotion"]
    for number in range(RECORDINGS):
        samples = draw.normal(0, 0.1, int(draw.integers(4000, 8000))).astype(np.float32)
        soundfile.write(folder / "wav" / f"{number:03d}.wav", samples, 16000, subtype="PCM_16")
        speaker, emotion = number % 8, FOUR[number // 8 % 4]
        rows.append(f"wav/{number:03d}.wav,s{speaker},{'fm'[speaker % 2]},{emotion}")
    (folder / "list.csv").write_text("\n".join(rows) + "\n")


def _start(words: Sequence[str], folder: Path, said: Any, mark: str) -> "subprocess.Popen[bytes]":
    """Start a command in a folder, with a thread for each sum: its bits have to be the same."""
    threads = dict.fromkeys(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1"
    )
    return subprocess.Popen(
        [sys.executable, "-m", "ser_aae", *words],
        cwd=folder,
        env=os.environ | threads | {"PYTHONPATH": str(ROOT), MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
    )


def alive(mark: str) -> dict[int, str]:
    """Return the processes whose environment has the mark, by number: their command lines."""
    wanted, found = f"{MARK}={mark}".encode(), {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found[int(entry.name)] = line
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found


def run_undisturbed(case: Case, place: Path, variant: int) -> float:
    """Run a command to its end where that is not done; return its seconds."""
    folder = place / case.name / f"undisturbed-{variant}"
    note = folder.with_suffix(".json")
    if not note.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.monotonic()
        with folder.with_suffix(".txt").open("w") as said:
            code = _start(case.words(variant), folder, said, "").wait(MOST_SECONDS)
        if code:
            raise SystemExit(f"{case.name} undisturbed ended with {code}: see {said.name}")
        note.write_text(json.dumps({"seconds": time.monotonic() - started}))
    return float(json.loads(note.read_text())["seconds"])


def kill_once(case: Case, place: Path, number: int, of: int, seed: int) -> Kill:
    """Kill a command once, look at what stands, and give the command again."""
    variant = number % case.variants
    draw = np.random.default_rng([seed, len(case.name), number])
    seconds = run_undisturbed(case, place, variant)
    folder = place / case.name / f"kill-{number:02d}"
    # each variant is met by both
    sent = signal.SIGKILL if number // case.variants % 2 else signal.SIGTERM
    mark = f"{os.getpid()}-{case.name}-{number}"
    with folder.with_suffix(".txt").open("w") as said:
        after_s = seconds * (number + draw.uniform()) / of
        while (process := _start_and_kill(case, number, folder, after_s, sent, said, mark)) is None:
            after_s *= 0.8  # it was faster this time and had ended
        gone_s, orphans = _wait_until_gone(process, mark)
        damaged = sorted(find_damage(folder))
        wanted = describe(place / case.name / f"undisturbed-{variant}")
        code = 0
        is_whole = not damaged and not any(path.name.startswith(".") for path in _files(folder))
        # where all was done already, some commands refuse to do it twice
        if not (is_whole and describe(folder) == wanted):
            code = _start(case.words(number), folder, said, mark).wait(MOST_SECONDS)
    found = describe(folder)
    kill = Kill(
        number=number,
        signal=sent.name,
        after_s=round(after_s, 2),
        gone_s=gone_s,
        orphans=orphans,
        damaged=damaged,
        code=code,
        different=sorted(name for name in wanted if found.get(name) != wanted[name]),
        left=sorted(found.keys() - wanted.keys()),
    )
    if not (orphans or damaged or code or kill.different or kill.left):
        shutil.rmtree(folder)
    return kill


def _start_and_kill(
    case: Case, number: int, folder: Path, after_s: float, sent: int, said: Any, mark: str
) -> "subprocess.Popen[bytes] | None":
    """Start a command in an empty folder and kill it; `None` where it has ended before that."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    process = _start(case.words(number), folder, said, mark)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(sent)
        return process
    return None


def _wait_until_gone(process: "subprocess.Popen[bytes]", mark: str) -> tuple[float, list[str]]:
    """Return the seconds until nothing of a command lives; end and return what lives too long."""
    started = time.monotonic()
    while True:
        process.poll()
        living = alive(mark)
        elapsed = time.monotonic() - started
        if not living or elapsed > PATIENCE_S:
            break
        time.sleep(0.05)
    for number in living:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()
    return round(elapsed, 2), sorted(living.values())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def describe(folder: Path) -> dict[str, str]:
    """Return each file by its name in a folder: a digest of what must not differ in it.

    Left out are TensorBoard's files, whose names hold time and process, and the state of the
    oracle of a search, which says which worker had which trial. Exported files hold dates and
    addresses in memory; of these counts what they answer.
    """
    found = {}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if "tfevents" not in name and path.name != "oracle.json":
            content = b"" if name.startswith(EXPORTED) else _content(path)
            found[name] = hashlib.sha256(content).hexdigest()[:16]
    for path in _models(folder):
        found[f"answers of {path.name}"] = hashlib.sha256(_answers(path)).hexdigest()[:16]
    return found


def _models(folder: Path) -> Iterator[Path]:
    """Yield the exported models that stand under their own names."""
    return (path for path in folder.glob(f"{EXPORTED}*") if not path.name.startswith("."))


def _answers(path: Path) -> bytes:
    """Return what an exported model says of itself and of some noise, to the bit."""
    signature, forward = load_exported(path, trust=True)
    shape = (3, tiny.DATA.segment_frames, tiny.FRONTEND.bins)
    outputs = forward(np.random.default_rng(0).normal(-50, 10, shape).astype(np.float32))
    parts = [signature.to_json().encode()]
    parts += [np.asarray(outputs[name]).tobytes() for name in sorted(outputs)]
    return b"".join(parts)


def _content(path: Path) -> bytes:
    """Return what has to be the same in a file: all but times, and the order in an archive."""
    read = {
        ".json": lambda: _plain(json.loads(path.read_text())),
        ".jsonl": lambda: _plain(read_jsonl(path)),
        ".parquet": lambda: pd.read_parquet(path).to_csv().encode(),
        ".h5": lambda: _plain(_arrays(path)),
        ".npz": lambda: _npz(path),
    }
    return read.get(path.suffix, path.read_bytes)()


def _npz(path: Path) -> bytes:
    with np.load(path) as arrays:
        return _plain({name: arrays[name].tolist() for name in arrays.files})


def _plain(content: Any) -> bytes:
    def comparable(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: comparable(v) for k, v in value.items() if k not in MAY_DIFFER}
        return [comparable(v) for v in value] if isinstance(value, list) else value

    return json.dumps(comparable(content), sort_keys=True).encode()


def _arrays(file: Any) -> dict[str, str]:
    found: dict[str, str] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = hashlib.sha256(np.asarray(item[()]).tobytes()).hexdigest()

    with h5py.File(file) as opened:
        opened.visititems(keep)
    return found


def find_damage(folder: Path) -> Iterator[str]:
    """Yield what looks whole in a folder and is refused by its reader."""
    for path in _files(folder):
        if path.name.startswith(".") or "tfevents" in path.name:
            continue  # under these names nothing is taken for whole
        try:
            _read(path)
        except Exception as error:
            yield f"{path.relative_to(folder)}: {type(error).__name__}: {error}"
    for label, check in (("run", _check_runs), ("corpus", _check_corpora), ("model", _check_model)):
        try:
            check(folder)
        except UserError as error:
            yield f"{label}: {error}"


def _read(path: Path) -> None:
    if path.suffix in {".yaml"}:
        if not isinstance(yaml.safe_load(path.read_text()), dict):
            raise ValueError("no settings")
    elif path.suffix == ".tfrecord":
        for _ in tf.data.TFRecordDataset(str(path)):
            pass
    elif path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            if archive.testzip():
                raise ValueError("a part is damaged")
    else:
        _content(path)


def _check_runs(folder: Path) -> None:
    """Recompute the figures of the complete runs."""
    for experiment in find_experiments(folder):
        if any(is_complete(run) for run in experiment.iterdir()):
            evaluate(experiment)


def _check_corpora(folder: Path) -> None:
    for manifest in folder.rglob(MANIFEST):
        content = json.loads(manifest.read_text())
        frontend = type(tiny.FRONTEND)(**content["frontend"])
        load_corpus(manifest.parent.parent, content["corpus"], frontend)


def _check_model(folder: Path) -> None:
    for path in _models(folder):
        Recogniser.load(path, trust=True)


def kill_often(case: Case, place: Path, arguments: argparse.Namespace) -> list[Kill]:
    """Kill a command as often as is asked for; what is done already is read."""
    log = place / case.name / "kills.jsonl"
    for variant in range(case.variants):
        run_undisturbed(case, place, variant)
    done = {row["number"]: Kill(**row) for row in read_jsonl(log)}
    missing = [number for number in range(arguments.kills) if number not in done]

    def one(number: int) -> Kill:
        return kill_once(case, place, number, arguments.kills, arguments.seed)

    with ThreadPoolExecutor(arguments.at_once) as pool:
        for kill in pool.map(one, missing):
            done[kill.number] = kill
            with log.open("a") as file:
                file.write(json.dumps(asdict(kill)) + "\n")
            print(case.name, json.dumps(asdict(kill)), flush=True)
    return [done[number] for number in range(arguments.kills)]


def summarise(case: Case, kills: Sequence[Kill], seconds: float) -> dict[str, Any]:
    """Return the row of a command in the table."""
    return {
        "command": case.name,
        "undisturbed": f"{seconds:.0f} s",
        "kills": len(kills),
        "same end": sum(kill.code == 0 and not kill.different for kill in kills),
        "orphans": sum(bool(kill.orphans) for kill in kills),
        "slowest": f"{max(kill.gone_s for kill in kills):.1f} s",
        "damaged": sum(bool(kill.damaged) for kill in kills),
        "leftovers": sum(bool(kill.left) for kill in kills),
        "compared": case.compared,
    }


def write_table(rows: Sequence[Mapping[str, Any]], out: Path, page: Path | None) -> None:
    """Write the rows as CSV, beside those of commands that are there already, and as Markdown."""
    kept = {}
    if out.is_file():
        with out.open(newline="") as file:
            kept = {row["command"]: row for row in csv.DictReader(file)}
    kept |= {row["command"]: {key: str(value) for key, value in row.items()} for row in rows}
    table = [kept[case.name] for case in CASES if case.name in kept]
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    cells = [list(table[0]), ["---"] * len(table[0]), *(list(row.values()) for row in table)]
    text = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    print(text)
    if page is not None:
        before, mark, after = page.read_text().partition(f"{PAGE_MARK}\n")
        rest = after.lstrip("\n").splitlines(keepends=True)
        tail = "".join(line for line in rest if not line.startswith("|")).lstrip("\n")
        page.write_text(f"{before}{mark}\n{text}\n{tail}")


def main(argv: Sequence[str] | None = None) -> int:
    """Kill the commands; return 1 where one of them did not end as it should."""
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="commands (all)")
    parser.add_argument("--kills", type=int, default=30, help="of each command (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument("--at-once", type=int, default=2, help="commands at a time (2)")
    parser.add_argument("--place", type=Path, default=Path("kills"), help="folder (kills)")
    parser.add_argument("--out", type=Path, default=Path("kills/kills.csv"), help="table as CSV")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args(argv)
    place = arguments.place.absolute()
    make_place(place)
    rows, is_well = [], True
    for case in (case for case in CASES if case.name in arguments.only):
        kills = kill_often(case, place, arguments)
        row = summarise(case, kills, run_undisturbed(case, place, 0))
        rows.append(row)
        bad = ("orphans", "damaged", "leftovers")
        is_well &= row["same end"] == row["kills"] and not any(row[name] for name in bad)
        write_table(rows, arguments.out, arguments.page)
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
