"""Every block of the documents: shell run, or read by its program's own parser; Python run.

A line of a kind that is not listed here fails, so none is passed over.
"""

import argparse
import glob
import os
import re
import runpy
import shlex
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from string import Template
from types import SimpleNamespace

import dask
import distributed.cli.dask_scheduler
import distributed.cli.dask_worker
import numpy as np
import pytest
import soundfile

from ser_aae.cli import build_parser, main
from ser_aae.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
DOCUMENTS = [*TOP, *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
SHELL = ("", "sh", "bash")
NOT_SHELL = ("bibtex", "csv", "dockerfile", "python", "text", "yaml")

PARSED = {
    ("serve",): "listens until it is interrupted: commands/test_serve.py",
    ("tune",): "a night's work: commands/test_tune.py",
    ("export", "onnx"): "converted and scored in another runtime: export/test_exporter.py",
    ("export", "litert"): "converted and scored in another runtime: export/test_exporter.py",
    ("train", "--log"): "MLflow and wandb are extras: training/test_trackers.py",
    ("card", "--push"): "asks the Hugging Face Hub: commands/test_hub_models.py",
    ("predict", "hf://OWNER/NAME"): "asks the Hugging Face Hub: commands/test_hub_models.py",
}
"""Words of a line of ser-aae that is parsed alone, and why, with the test that runs it."""

PARSED_PYTHON = {"import onnxruntime": "needs an exported file: export/test_exporter.py"}
"""A line of a block of Python that is compiled alone, and why, with the test that runs it."""

PARSED_DOCUMENTS = {
    "docs/cluster.md": "many machines, on corpora given under terms",
    "docs/results.md": "hours, on corpora given under terms",
    "docs/search.md": "hours of trials; small ones in test_tune.py and test_reproduce.py",
}

SMALL = [
    *("training.epochs=1", "training.pretraining_epochs=1", "training.batch_size=512"),
    *("model.filters=4,4", "model.latent_channels=4", "model.classifier_filters=4"),
    "model.auxiliary_tasks=speaker",
    *("model.dense_units=8,8", "data.segment_frames=32", "data.evaluation_shift_frames=32"),
    *("frontend.bins=32", "frontend.scale=linear", "protocol.folds=3"),
]
"""Settings put behind a line that takes settings, so that it takes seconds."""

VARIABLES = {"address": "tcp://HOST:8786"}
"""Variables that the shell, or a line before, would have set."""


def blocks(document):
    """Return the fenced blocks of a document: language, text."""
    text = (ROOT / document).read_text(encoding="utf-8")
    assert text.count("```") % 2 == 0
    return re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)


def shell_lines(document):
    """Return the lines of the shell blocks, those that go on in the next one joined."""
    texts = [text.replace("\\\n", " ") for language, text in blocks(document) if language in SHELL]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


def words_of(line, variables):
    """Return a line's words as the shell makes them: variables, comments, names of files."""
    words = shlex.split(Template(line).substitute(variables), comments=True)
    words = words[:-1] if words[-1] == "&" else words
    return [name for word in words for name in (sorted(glob.glob(word)) or [word])]


def small_settings(command, taken):
    """Return what is put behind a command, judged by the options that it takes."""
    settings = [each for each in SMALL if command != "prepare" or each.startswith("frontend.")]
    return [word for each in settings for word in ("--set", each)] if "set" in taken else []


class Reader:
    """Reads a document as someone who types its lines in a folder.

    Args:
        document: Its path from the root.
        printed: Called without arguments, returns what was printed since the last call.
        ended: Words of commands that were run in that folder, to the last line they printed. A
            command that stands in several documents is run once.
    """

    def __init__(self, document, printed, ended):
        self.document, self.printed, self.ended = document, printed, ended
        self.variables = {**VARIABLES, "PWD": str(Path.cwd())}
        self.made = set()

    def read(self, line):
        """Run or parse a line; an assertion or an error says what is wrong with it."""
        kinds = [kind for pattern, kind in KINDS.items() if re.match(pattern, line)]
        assert len(kinds) == 1, f"{self.document}: a line of no known kind: {line}"
        kinds[0](self, line)

    def comment(self, line):
        """Nothing is done; that it is no command is seen from its first character."""

    def ser_aae(self, line):
        """A command of ours, alone or as `name=$(command | tail -n 1)`."""
        name, command = re.fullmatch(r"(?:(\w+)=\$\()?(.*?)(?: \| tail -n 1\))?", line).groups()
        _, *words = words_of(command, self.variables)
        taken = build_parser().parse_args(words)
        alone = any(set(some) <= set(words) for some in PARSED)
        if not alone and self.document not in PARSED_DOCUMENTS:
            if tuple(words) not in self.ended:
                assert main([*words, *small_settings(words[0], taken)]) == 0, self.printed().err
                self.ended[tuple(words)] = self.printed().out.splitlines()[-1]
            self.variables |= {name: self.ended[tuple(words)]} if name else {}

    def python(self, text):
        """A block of Python, of which the lines before have made the run."""
        run = repr(self.variables.get("run"))
        code = compile(text.replace('"RUN"', run), self.document, "exec")
        alone = any(line in text for line in PARSED_PYTHON)
        if not alone and self.document not in PARSED_DOCUMENTS:
            exec(code, {})  # noqa: S102

    def make(self, line):
        """A target: what it would do is asked of make itself."""
        subprocess.run(["make", "-n", *line.split()[1:]], cwd=ROOT, check=True, capture_output=True)

    def benchmark(self, line):
        """A benchmark, up to where it has read its arguments."""
        _, path, *words = words_of(line, self.variables)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(ROOT / "benchmarks")  # as Python does for a script
            patch.setattr(sys, "argv", [path, *words])
            patch.setattr(argparse.ArgumentParser, "parse_args", self._parse_and_stop)
            with pytest.raises(Parsed):
                runpy.run_path(str(ROOT / path), run_name="__main__")

    @staticmethod
    def _parse_and_stop(parser, arguments=None):
        _, unknown = parser.parse_known_args(arguments)
        raise UserError(f"unknown: {unknown}") if unknown else Parsed

    def pip(self, line):
        """This project, with extras that it has, or a list of packages."""
        *options, wanted = shlex.split(line)[4:]
        if "-r" in options:
            assert (ROOT / wanted).is_file()
            return
        assert set(options) <= {"--no-deps"}
        extras = re.fullmatch(r"\.(?:\[(.*)\])?", wanted)[1] or "all"
        assert set(extras.split(",")) <= set(metadata("ser-aae").get_all("Provides-Extra"))

    def pytest(self, line):
        """One file of tests."""
        assert (ROOT / line.split()[-1]).is_file()

    def dask(self, line):
        """A scheduler or a worker, which click parses."""
        words = words_of(line, self.variables)
        _, name, *rest = words[words.index("dask") :]
        program = getattr(distributed.cli, f"dask_{name}").main
        program.make_context(f"dask {name}", rest)

    def docker(self, line):
        """An image to build, or one that runs a command of ours with folders mounted."""
        recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        _, verb, *words = shlex.split(line)
        options = words[: words.index("ser-aae" if verb == "run" else ".")]
        pairs = list(zip(options[::2], options[1::2], strict=True))
        for option, value in pairs:
            known = {
                "-t": value == "ser-aae",
                "--build-arg": f"ARG {value.partition('=')[0]}=" in recipe,
                "-v": f'"{value.split(":")[1]}"' in recipe if ":" in value else False,
                "-p": value.count(":") >= 1,
                "-e": value == "SER_AAE_TOKEN",
                "--user": True,
                "--gpus": value == "all",
            }
            assert known[option], f"{option} {value}"
        if verb == "run":
            mounts = [value.split(":") for option, value in pairs if option == "-v"]
            assert not mounts or "--user" in options, "files would not be the caller's"
            written = {mount[0].removeprefix("$PWD/") for mount in mounts if mount[2:] != ["ro"]}
            assert written <= self.made, "Docker would make a folder, as root"
            build_parser().parse_args(words[len(options) + 1 :])
        else:
            assert (verb, words[-1]) == ("build", ".")

    def apptainer(self, line):
        """A file to make of the image, or one that runs a command of ours with folders bound."""
        _, verb, *words = shlex.split(line)
        if verb == "build":
            assert words[0] == "ser-aae.sif"
            assert "From: ser-aae" in (ROOT / words[1]).read_text(encoding="utf-8")
        else:
            options, command = words[: words.index("ser-aae.sif")], words[1:]
            assert (verb, options[0], options[1].count(":"), len(options)) == (
                "run",
                "--bind",
                1,
                2,
            )
            build_parser().parse_args(command[command.index("ser-aae.sif") + 1 :])

    def mkdir(self, line):
        """Folders that are mounted later."""
        self.made |= set(shlex.split(line)[2:])

    def curl(self, line):
        """A request to the server: the path is one that it answers."""
        (path,) = re.findall(r"http://127\.0\.0\.1:7860(/[\w./-]+)", line)
        source = (ROOT / "ser_aae/server/app.py").read_text(encoding="utf-8")
        assert f'"{path}"' in source

    def export(self, line):
        """A variable that something reads."""
        name = line.split()[1].partition("=")[0]
        if name not in ("PATH", "TF_CONFIG"):
            key = name.removeprefix("DASK_").lower().replace("__", ".").replace("_", "-")
            assert dask.config.get(key) is not None

    def shell(self, line):
        """What bash does alone, around a scheduler's file."""
        Path("scheduler.json").write_text('{"address": "tcp://HOST:8786"}')
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(["bash", "-euc", line], check=True, timeout=30, env={"PATH": path})


class Parsed(Exception):  # noqa: N818
    """Raised where a benchmark has read its arguments."""


KINDS = {
    r"#": Reader.comment,
    r"(\w+=\$\()?ser-aae ": Reader.ser_aae,
    r"make ": Reader.make,
    r"python benchmarks/\w+\.py": Reader.benchmark,
    r"\.venv/bin/python -m pytest \S+$": Reader.pytest,
    r"python -m pip install ": Reader.pip,
    r"(srun [^|;]* )?dask (scheduler|worker) ": Reader.dask,
    r"docker (build|run) ": Reader.docker,
    r"apptainer (build|run) ": Reader.apptainer,
    r"mkdir -p \w": Reader.mkdir,
    r"curl ": Reader.curl,
    r"export \w+=": Reader.export,
    r"until |address=\$\(python |rm -f scheduler\.json$": Reader.shell,
}
"""How a line begins, to how it is read."""


def write_corpora(folder):
    """Write what a reader brings along: RAVDESS' tree, and the table of own recordings."""
    draw = np.random.default_rng(0)
    (table,) = (text for language, text in blocks("docs/own-corpus.md") if language == "csv")
    (folder / "calls.csv").write_text(table)
    names = [f"Actor_{who:02d}/03-01-{what}-01-01-01-{who:02d}.wav" for who in range(1, 25)
             for what in ("01", "03", "04", "05")]  # fmt: skip
    files = [line.partition(",")[0] for line in table.splitlines()[1:]]
    for path in [*(f"data/ravdess/{name}" for name in names), *files]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / path, draw.normal(0, 0.1, 8000), 16000, subtype="PCM_16")
    (text,) = (text for language, text in blocks("README.md") if language == "yaml")
    (folder / "mine.yaml").write_text(text)


@pytest.fixture(scope="module")
def workplace(few_steps, tmp_path_factory):
    """The commands that have ended in the folder in which all documents are read."""
    from data_prep.corpora import ravdess

    folder = tmp_path_factory.mktemp("reader")
    write_corpora(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ravdess, "EXPECTED", {})
        for name in ("SER_AAE_DATA", "SER_AAE_STORE", "SER_AAE_RUNS"):
            patch.delenv(name, raising=False)
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.chdir(folder)
        yield {}


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if blocks(name)])
def test_every_line_does_what_it_says(document, workplace, capsys):
    reader = Reader(document, capsys.readouterr, workplace)
    for line in shell_lines(document):
        reader.read(line)
    for text in (text for language, text in blocks(document) if language == "python"):
        reader.python(text)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_is_what_it_says(document):
    for language, text in blocks(document):
        assert language in (*SHELL, *NOT_SHELL)
        if language in SHELL:
            subprocess.run(["bash", "-n", "-c", text], check=True)


def test_what_is_only_parsed_is_run_elsewhere_and_still_needed():
    lines = [shlex.split(line) for name in DOCUMENTS for line in shell_lines(name)]
    for line, why in PARSED_PYTHON.items():
        assert (ROOT / "tests" / "ser_aae" / why.rpartition(": ")[2]).is_file()
        assert any(line in text for name in DOCUMENTS for _, text in blocks(name))
    for words, why in PARSED.items():
        assert (ROOT / "tests" / "ser_aae" / why.rpartition(": ")[2]).is_file()
        assert any(set(words) <= set(line) for line in lines), words
    assert set(PARSED_DOCUMENTS) <= set(DOCUMENTS)


WRONG = [
    "rm -rf /",
    "ser-aae train --datset demo",
    "ser-aae evaluate $nobody",
    "make nothing",
    "python -m pip install '.[nothing]'",
    "python benchmarks/prepare.py --no-such-option",
    "dask worker tcp://HOST:8786 --no-such-option",
    "docker build -t ser-aae --build-arg NOTHING=gpu .",
    "docker run -v /my/data:/nowhere ser-aae train --dataset msp",
    "docker run ser-aae train --datset msp",
    "apptainer build ser-aae.sif nothing.def",
    "apptainer run --bind /my/corpora:/data ser-aae.sif train --datset msp",
    "docker run -v /my/corpora:/data:ro ser-aae train --dataset msp",
    "docker run --user 1000:1000 -v $PWD/runs:/runs ser-aae train --dataset msp",
    "curl http://127.0.0.1:7860/api/predcit",
    "export DASK_NO__SUCH__KEY=1",
    "until [ -s scheduler.json ]; do sleep 1; done; false",
    ".venv/bin/python -m pytest tests/test_nothing.py",
]


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_line_is_noticed(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = Reader("README.md", lambda: SimpleNamespace(out="", err=""), {})
    with pytest.raises(Exception):  # noqa: B017, PT011
        reader.read(line)
