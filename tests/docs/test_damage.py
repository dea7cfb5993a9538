"""Every file that is read back, damaged in every way: what becomes of it is what the table says."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from stored import read_unsealed
from tiny import DATA, FRONTEND, MODEL, sounds_of, speakers_of, write_corpus

from data_prep import build
from data_prep.synthetic import synthesise
from reports import experiment_sections
from ser_aae.cli import main
from ser_aae.config import ProtocolConfig, RunConfig, TrainingConfig
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.experiments.setup import Setup, write_setup
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.inference.start_source import read_source
from ser_aae.training import pretraining, starting
from ser_aae.training.pretraining import pretrain
from ser_aae.training.run import train_and_evaluate
from ser_aae.training.stage import Backup
from ser_aae.training.starting import read_start, write_start
from tuning.definition import Search
from tuning.search import search_alone
from tuning.space import read_space

pytestmark = [
    pytest.mark.usefixtures("few_steps"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning"),
]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "damage.md"
WAYS = ("a bit changed", "cut", "empty", "absent", "a folder")
CONFIG = RunConfig(
    dataset="tiny",
    auxiliary=("foreign",),
    frontend=FRONTEND,
    protocol=ProtocolConfig(name="loso-session"),
    data=DATA,
    model=replace(MODEL, kind="cnn-mtl", auxiliary_tasks=("speaker",)),
    training=replace(TrainingConfig(), epochs=2, batch_size=64, pretraining_epochs=2),
)
VERIFIED = replace(CONFIG, auxiliary=(), verification="voices", enrolment_utterances=3)
SMALL = (
    *("frontend.bins=32", "frontend.scale=linear", "data.segment_frames=64"),
    *("data.evaluation_shift_frames=32", "model.filters=4,4", "model.dense_units=8,8"),
    *("model.latent_channels=4", "training.batch_size=64", "training.epochs=1"),
)


def table():
    """Return file to way to word, as the page has it."""
    lines = re.findall(r"^\| (\w.*?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    head, *rows = ([cell.strip() for cell in line.split(" | ")] for line in lines)
    assert head == ["file", *WAYS]
    return {row[0].replace("`", ""): dict(zip(WAYS, row[1:], strict=True)) for row in rows}


def damage(path, way, place=0.5):
    content = path.read_bytes()
    path.unlink()
    if way == "a bit changed":
        spot = int(len(content) * place)
        path.write_bytes(content[:spot] + bytes([content[spot] ^ 1]) + content[spot + 1 :])
    elif way == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif way == "empty":
        path.touch()
    elif way == "a folder":
        path.mkdir()
        (path / "file").touch()


def interrupted(work, stage, epoch):
    """Do something, and interrupt it after the backup of an epoch."""
    write = Backup.on_epoch_end

    def interrupt(self, number, logs=None):
        write(self, number, logs)
        if (self.stage, number) == (stage, epoch):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backup, "on_epoch_end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            work()


class Room:
    """Files that something reads back.

    Attributes:
        folder: Pattern of the folder that they lie in, below the place where all is made.
    """

    folder = "runs/*/*/fold00-rep00"

    def __init__(self, fixture, capsys):
        self.fixture, self.capsys = fixture, capsys

    @property
    def store(self):
        return self.fixture("store")

    def make(self, place):
        """Make everything, undamaged."""
        raise NotImplementedError

    def use(self, place, file, show):
        """Read it back; return what came of it, or raise."""
        raise NotImplementedError

    def command(self, *words):
        """Give a command in this process; its error is the one that it prints."""
        self.capsys.readouterr()
        code = main([str(word) for word in words])
        said = self.capsys.readouterr()
        if code:
            assert code == 2, said.err
            raise UserError(said.err.removeprefix("ser-aae: error: ").rstrip("\n"))
        return said.out


class Run(Room):
    """A complete run, with trials."""

    def make(self, place):
        train_and_evaluate(VERIFIED, self.store, place / "runs")

    def use(self, place, file, show):
        run = next(place.glob(self.folder))
        if file == "verification.parquet":
            return self.command("evaluate", run)
        if file.endswith(".json"):
            return self.command("card", run)
        if file == "heard.txt":
            return str(read_source(run).sounds)
        with pytest.MonkeyPatch.context() as patch:
            # drawing takes longer than all the reading
            patch.setattr(experiment_sections._Album, "add", lambda *_: None)
            self.command("report", "--check", "--runs", place / "runs", "--out", place / "out")
        page = (place / "out" / "index.html").read_text(encoding="utf-8")
        if f"fold00-rep00 has no {file}" in page:
            show(f"said: {file}")
        return ""


def outcome_of(run):
    rows = [(row["train"], row["validation"]) for row in read_jsonl(run / "epochs.jsonl")]
    return rows, read_json(run / "result.json")["predictions_sha256"]


class InterruptedRun(Room):
    """A run that was interrupted after an epoch of stage 2."""

    def make(self, place):
        interrupted(lambda: self._train(place, print), 2, 0)

    def use(self, place, file, show):
        return outcome_of(self._train(place, show))

    def _train(self, place, show):
        return train_and_evaluate(replace(CONFIG, auxiliary=()), self.store, place / "runs", show)


class SearchedRun(Room):
    """A run of a search, whose test part is scored afterwards."""

    def make(self, place):
        train_and_evaluate(
            replace(CONFIG, auxiliary=()), self.store, place / "runs", print, score_test=False
        )

    use, _train = InterruptedRun.use, InterruptedRun._train


class StageOne(Room):
    """The outcome of stage 1."""

    folder = "runs/pretraining/*"

    def make(self, place):
        self._pretrain(place, print)
        shutil.copytree(next(place.glob(self.folder)), place / "known")

    def use(self, place, file, show):
        def compute(folder, *_):
            shutil.copy(place / "known" / "epochs.jsonl", folder)
            return (place / "known" / "weights.npz").read_bytes()

        with pytest.MonkeyPatch.context() as patch:
            if (place / "known").is_dir():  # interrupted, it is computed in earnest
                patch.setattr(pretraining, "_compute", compute)
            found = self._pretrain(place, show)
        with np.load(found / "weights.npz") as weights:
            return {name: weights[name].tolist() for name in weights.files}

    def _pretrain(self, place, show):
        data, strategy = assemble(CONFIG, self.store), tf.distribute.get_strategy()
        return pretrain(CONFIG, data, place / "runs", place / "own", show, strategy)


class InterruptedStageOne(StageOne):
    """A stage 1 that was interrupted after an epoch."""

    def make(self, place):
        interrupted(lambda: self._pretrain(place, print), 1, 0)


class Start(Room):
    """Weights that a run starts from."""

    folder = "runs/starts/*"

    def make(self, place):
        write_start(place / "runs", self._start)

    def use(self, place, file, show):
        found = read_start(place / "runs", self._start.digest())
        return {name: [each.tolist() for each in own] for name, own in found.layers.items()}

    @property
    def _start(self):
        layers = {"encoder/encoder_1_conv": (np.arange(1000.0),)}
        facts = FRONTEND.to_dict(), 64, {"emotion": ("anger", "sadness")}, ("there:1",), True
        return starting.Start("a run", *facts, layers)


class Store(Room):
    """A prepared corpus."""

    folder = "store/*"

    def make(self, place):
        self._train(place, place / "first")

    def use(self, place, file, show):
        self._train(place, place / "runs")
        return outcome_of(next(place.glob("runs/*/*/*")))

    def _train(self, place, runs):
        settings = [word for each in SMALL for word in ("--set", each)]
        places = [
            "--data-root",
            self.fixture("four_voices"),
            "--store",
            place / "store",
            "--runs",
            runs,
        ]
        words = ["--dataset", "demo", "--model", "cnn", "--protocol", "speaker-kfold"]
        self.command("train", *words, "--folds", 3, *settings, *places)


class InterruptedPreparation(Store):
    """Shards of a corpus, without the manifest that comes last."""

    def make(self, place):
        def interrupt(*_):
            raise UserError("interrupted")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "write_manifest", interrupt)
            with pytest.raises(UserError, match="interrupted"):
                self._train(place, place / "first")


def judge(config, show):
    """Take the place of training."""
    return 1 - (config.model.alpha - 0.4) ** 2


class Searched(Room):
    """A search, which goes on with another trial."""

    folder = "runs/searches/*/*"

    def make(self, place):
        self._search(place, 2)

    def use(self, place, file, show):
        content = read_unsealed(self._search(place, 3) / "trials.json")
        return [(row["values"], row["objective"]) for row in content["trials"]]

    def _search(self, place, trials):
        search = Search(RunConfig(dataset="tiny"), read_space("alpha"), "random", trials)
        return search_alone(search, place / "runs", judge, print)


class ReportedSearch(Searched):
    """A search, of which a report is made."""

    def use(self, place, file, show):
        self.command("report", "--runs", place / "runs", "--out", place / "out")
        return ""


class WrittenSetup(ReportedSearch):
    """A setup of `reproduce`, by which a report finds its cells."""

    folder = "runs/setups/*"

    def make(self, place):
        super().make(place)
        write_setup(place / "runs", Setup())


class EnrolledSpeakers(Room):
    """A file of enrolled speakers."""

    folder = "voices"

    def make(self, place):
        words = ["--speaker", "Anna", "--out", place / "voices" / "speakers.json"]
        self.command("enrol", self._recorded.folder, self._recording, *words)

    def use(self, place, file, show):
        named = ["--speakers", place / "voices" / (file or "speakers.json")]
        return self.command("verify", self._recorded.folder, "Anna", self._recording, *named)

    @property
    def _recorded(self):
        return self.fixture("recorded_run")

    @property
    def _recording(self):
        return sorted(self._recorded.recordings.glob("00/*.wav"))[0]


ROOMS = {
    "run": Run,
    "run of a search": SearchedRun,
    "interrupted run": InterruptedRun,
    "stage 1": StageOne,
    "interrupted stage 1": InterruptedStageOne,
    "start": Start,
    "store": Store,
    "interrupted preparation": InterruptedPreparation,
    "search": Searched,
    "search, in a report": ReportedSearch,
    "setup": WrittenSetup,
    "enrolled speakers": EnrolledSpeakers,
}


@pytest.fixture(scope="module")
def four_voices(tmp_path_factory):
    """A data root with a corpus of as many speakers as three folds need."""
    root = tmp_path_factory.mktemp("data")
    synthesise("demo", root, speakers=4)
    return root


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with an emotional corpus, an auxiliary one, and one whose speakers are verified."""
    place = tmp_path_factory.mktemp("store")
    for seed, (name, speakers) in enumerate([("tiny", 8), ("foreign", 4), ("voices", 6)]):
        utterances = speakers_of(name, speakers)
        write_corpus(place, utterances, sounds_of(utterances, FRONTEND.bins, seed))
    return place


@pytest.fixture(scope="module")
def whole():
    """Room to the place where its files lie undamaged, and what comes of them."""
    return {}


@pytest.fixture
def room_of(whole, request, tmp_path_factory, capsys):
    """A function: name -> its room, the place of its whole files, and what comes of those."""

    def find(name):
        room = ROOMS[name](request.getfixturevalue, capsys)
        if name not in whole:
            place = tmp_path_factory.mktemp("whole")
            room.make(place)
            used = tmp_path_factory.mktemp("used") / "place"
            shutil.copytree(place, used)
            whole[name] = place, room.use(used, "", print)
        return room, *whole[name]

    return find


def outcome_of_damage(room, place, path, expected):
    """Return the word of the table for what becomes of a damaged file."""
    shown = []
    try:
        found = room.use(place, path.name, shown.append)
    except UserError as error:
        said = str(error)
        # a check of many runs has a line for each
        named = [str(path.parent), path.name]
        lines = [line for line in said.splitlines() if all(word in line for word in named)]
        return "refused" if len(lines) == 1 and "; " in lines[0] else said
    if any(line.startswith("said: ") for line in shown):
        return "said"
    assert found == expected
    again = [line for line in shown if "computed again" in line]
    assert all(str(path) in line for line in again)
    return "computed again" if again else "same result"


@pytest.mark.parametrize(
    ("name", "way"), [(name, way) for name, words in table().items() for way in words]
)
def test_what_the_table_says_becomes_of_a_damaged_file(name, way, room_of, tmp_path):
    of, _, file = name.partition(": ")
    room, undamaged, expected = room_of(of)
    word = table()[name][way]
    spots = (0.5, 0.2, 0.8) if (way, word) == (WAYS[0], "refused") else (0.5,)
    for number, spot in enumerate(spots):
        place = tmp_path / str(number)
        shutil.copytree(undamaged, place)
        (path,) = place.glob(f"{room.folder}/{file}")
        damage(path, way, spot)
        found = outcome_of_damage(room, place, path, expected)
        assert found == {"unnoticed": "same result"}.get(word, word)


def test_every_room_is_in_the_table():
    assert {name.partition(": ")[0] for name in table()} == set(ROOMS)
