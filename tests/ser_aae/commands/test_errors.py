"""`ser-aae errors`, on a run that was trained, with some answers made wrong."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
from stored import read_unsealed, write_unsealed

from ser_aae.cli import main
from ser_aae.results.predictions import classes_of, read_predictions, score, write_predictions

WRONG = 3


@pytest.fixture(scope="module")
def mistaken(recorded_run, tmp_path_factory):
    """The run, as if it had taken some of its test utterances for the last class."""
    folder = tmp_path_factory.mktemp("mistaken") / recorded_run.folder.name
    shutil.copytree(recorded_run.folder, folder)
    frame = read_predictions(folder / "predictions.parquet")
    classes = classes_of(frame)
    right = frame.index[(frame["truth"] == frame["predicted"]) & (frame["truth"] != classes[-1])]
    for place, row in enumerate(right[:WRONG]):
        frame.loc[row, [f"p_{name}" for name in classes]] = 0.1 - 0.01 * place
        frame.loc[row, f"p_{classes[-1]}"] = 1 - (len(classes) - 1) * (0.1 - 0.01 * place)
        frame.loc[row, "predicted"] = classes[-1]
    write_predictions(folder / "predictions.parquet", frame)
    result = read_unsealed(folder / "result.json")
    write_unsealed(folder / "result.json", result | score(frame, classes))
    return replace(recorded_run, folder=folder)


def ask(run, capsys, *words):
    assert main(["errors", str(run.folder), "--store", str(run.store), *words]) == 0
    return capsys.readouterr()


def test_all_wrong_answers_are_written_with_their_files(mistaken, tmp_path, capsys):
    out = tmp_path / "wrong.csv"
    told = ask(mistaken, capsys, "--csv", str(out)).out
    frame = read_predictions(mistaken.folder / "predictions.parquet")
    wrong = frame[frame["truth"] != frame["predicted"]]
    assert len(wrong) >= WRONG
    assert told.startswith(f"{len(wrong)} of {len(frame)} test utterances taken for another class")
    written = pd.read_csv(out)
    assert sorted(written["utterance_id"]) == sorted(wrong["utterance_id"])
    assert written["file"].notna().all()
    assert list(written["posterior"]) == sorted(written["posterior"], reverse=True)
    for head in ("class", "speaker", "gender"):
        assert any(line.startswith(f"{head} ") for line in told.splitlines())


def test_rows_are_as_many_as_asked_for(mistaken, capsys):
    lines = ask(mistaken, capsys, "--most", "1").out.splitlines()
    table = lines[2 : lines.index("", 2)]
    assert len(table) == 2


def test_without_the_corpus_utterances_are_named(mistaken, tmp_path, capsys):
    assert main(["errors", str(mistaken.folder), "--store", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert "utterances are named and not their files" in told.err
    assert "test utterances taken for another class" in told.out


@pytest.mark.parametrize("words", [["nowhere"], ["nowhere", "--most", "0"]])
def test_what_is_no_run_is_the_users_mistake(tmp_path, words, capsys):
    try:
        code = main(["errors", str(tmp_path / words[0]), *words[1:]])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert "expected" in capsys.readouterr().err
