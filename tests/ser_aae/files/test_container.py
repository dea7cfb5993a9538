"""Advice inside a container: it depends on what is mounted where, which a table is made up for."""

import errno
import os

import pytest

from ser_aae.cli import main
from ser_aae.commands import prepare
from ser_aae.files import container

ID = "3f2a1b4c5d6e" + 52 * "0"
OWN = f"0:39 / / rw - overlay overlay rw\n1 0 8:1 /docker/containers/{ID}/hostname /etc/hostname rw"
UNNAMED = f"/docker/volumes/{64 * 'b'}/_data"
NAMED = "/docker/volumes/results/_data"
FOLDER = "/home/ann/my\\040results"


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """A function: source of the folder of runs, `None` where nothing is mounted -> that folder."""
    monkeypatch.setenv("SER_AAE_CONTAINER", "1")
    monkeypatch.setattr(container, "_GPU", tmp_path / "nothing")

    def mount(source, own=OWN):
        runs = tmp_path / "runs"
        runs.mkdir()
        (runs / "config.json").write_text("{}")
        line = f"2 0 8:1 {source} {runs} rw,relatime master:1 - ext4 /dev/vda rw\n"
        (tmp_path / "mountinfo").write_text(f"0 9 {own} - ext4\n{line if source else ''}")
        monkeypatch.setattr(container, "_MOUNTS", tmp_path / "mountinfo")
        return runs

    return mount


@pytest.mark.parametrize("source", [UNNAMED, None], ids=["volume without a name", "no mount"])
def test_what_ends_with_the_container_goes_on_in_it_or_from_a_copy(mounted, source):
    runs = mounted(source)
    said = container.explain_repeat([runs], ["train", "--set", "a b"])
    assert said.splitlines() == [
        f"{runs} lies in this container alone, and the same docker run begins anew. In this "
        "container it goes on, unless docker run --rm has removed it:",
        "  docker start -a 3f2a1b4c5d6e",
        "or in folders of yours:",
        f"  docker cp 3f2a1b4c5d6e:{runs} .",
        "  mkdir -p runs",
        f'  docker run --user "$(id -u):$(id -g)" -v "$PWD/runs:{runs}" ser-aae train '
        "--set 'a b'",
    ]


@pytest.mark.parametrize("source", [NAMED, FOLDER], ids=["volume", "folder"])
def test_what_outlives_the_container_goes_on_with_the_same_command(mounted, source):
    runs = mounted(source)
    assert container.explain_repeat([runs], []) == ""
    assert container.tell_where_results_are(runs / "config.json", [runs], []) == []


def test_nothing_is_lost_of_what_nobody_has_written(mounted):
    runs = mounted(UNNAMED)
    (runs / "config.json").unlink()
    assert container.explain_repeat([runs], []) == ""


def test_outside_of_a_container_no_mount_matters(mounted, monkeypatch):
    runs = mounted(UNNAMED)
    monkeypatch.delenv("SER_AAE_CONTAINER")
    assert container.explain_repeat([runs], []) == ""
    assert container.tell_where_results_are(runs, [runs], []) == []
    assert container.explain_mount(errno.EROFS, runs) == ""


def test_a_container_without_a_name_names_no_command_of_docker_that_needs_it(mounted):
    runs = mounted(UNNAMED, own="0:39 / / rw")
    said = container.explain_repeat([runs], ["train"])
    assert "docker start" not in said
    assert "docker cp" not in said
    assert "mount folders:\n  mkdir -p runs\n  docker run --user" in said


def test_results_are_copied_out_by_name(mounted):
    runs = mounted(UNNAMED)
    first, copy, *_, last = container.tell_where_results_are(runs, [runs], ["train"])
    assert first.startswith(f"{runs} lies in this container alone")
    assert copy == f"  docker cp 3f2a1b4c5d6e:{runs} ."
    assert last.endswith("ser-aae train")


def test_a_container_with_a_gpu_asks_for_it_again(mounted, monkeypatch):
    runs = mounted(UNNAMED)
    monkeypatch.setattr(container, "_GPU", runs)
    assert "--gpus all -v" in container.explain_repeat([runs], ["train"])


def test_every_command_says_it_through_the_program(mounted, monkeypatch, capsys):
    runs = mounted(UNNAMED)

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "run", interrupt)
    words = ["prepare", "--dataset", "demo", "--store", str(runs)]
    assert main(words) == 130
    said = capsys.readouterr().err
    assert said.startswith(f"interrupted; {runs} lies in this container alone")
    assert said.endswith(f"ser-aae {' '.join(words)}\n")

    monkeypatch.setattr(prepare, "run", lambda _: print("done"))
    assert main(words) == 0
    printed = capsys.readouterr()
    assert printed.out == "done\n"
    assert f"  docker cp 3f2a1b4c5d6e:{runs} .\n" in printed.err


def test_an_error_that_is_mended_by_a_repetition_says_it_too(mounted, monkeypatch, refused):
    runs = mounted(UNNAMED)

    def fill(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(runs / "a"))

    monkeypatch.setattr(prepare, "run", fill)
    words = ["prepare", "--dataset", "demo", "--store", str(runs)]
    error, told, start, *_ = refused(*words).splitlines()
    assert error.endswith("the disk is full; make room and give the same command again")
    assert told.startswith(f"{runs} lies in this container alone, and the same docker run begins")
    assert start == "  docker start -a 3f2a1b4c5d6e"
    assert len(refused("prepare", "--datset", "demo").splitlines()) == 1


def test_a_read_only_mount_is_told_with_its_place(mounted, monkeypatch, refused):
    runs = mounted(FOLDER)

    def refuse(_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(runs / "demo"))

    monkeypatch.setattr(prepare, "run", refuse)
    said = refused("prepare", "--dataset", "demo")
    assert f"{runs / 'demo'}: {runs} is mounted read-only; mount it without :ro" in said
    assert "the container itself is read-only" in container.explain_mount(errno.EROFS, "/etc/x")


@pytest.mark.parametrize(
    ("owner", "words"),
    [(0, "root owns what is mounted at "), (4711, "belongs to user 4711, and this container")],
)
def test_a_folder_of_somebody_else_is_told_with_its_owner(mounted, monkeypatch, owner, words):
    runs = mounted(FOLDER)
    monkeypatch.setattr(container.os, "getuid", lambda: 1000)
    monkeypatch.setattr(container, "_owner", lambda place: owner)
    said = container.explain_mount(errno.EACCES, runs / "demo" / "config.json")
    assert words in said
    assert '--user "$(id -u):$(id -g)"' in said
    assert str(runs) in said
    monkeypatch.setattr(container, "_owner", lambda place: 1000)
    assert container.explain_mount(errno.EACCES, runs) == ""


def test_other_errors_are_no_question_of_mounting(mounted):
    assert container.explain_mount(errno.ENOSPC, mounted(FOLDER)) == ""
