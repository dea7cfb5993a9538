"""The benchmark that scores a run's validation speakers again."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import evaluation_segments
from ser_aae.data.run_data import assemble
from ser_aae.errors import UserError
from ser_aae.files.atomic import read_json, read_jsonl
from ser_aae.results.complete_run import read_config


def test_the_runs_own_settings_give_what_its_best_epoch_had(recorded_run):
    run = recorded_run.folder
    kept = read_json(run / "result.json")["kept_epoch"]
    stage_two = [row for row in read_jsonl(run / "epochs.jsonl") if row["stage"] == 2]
    epoch = stage_two[kept - 1]
    scores = evaluation_segments.score_run(run, recorded_run.store, [1, 4], [1.0, 0.0])
    assert scores.shape == (2, 2)
    assert scores[1, 0] == epoch["validation"]["unweighted_accuracy"]
    # with a factor of 0 one class of four is never said
    assert (scores[:, 1] <= 0.75).all()
    assert (scores[:, 1] <= scores[:, 0]).all()


def test_another_store_is_refused(recorded_run, tmp_path, monkeypatch):
    data = assemble(read_config(recorded_run.folder), recorded_run.store)
    other = replace(data, digests=dict.fromkeys(data.digests, "0"))
    monkeypatch.setattr(evaluation_segments, "assemble", lambda config, store: other)
    with pytest.raises(UserError, match="expected the corpora of"):
        evaluation_segments.score_run(recorded_run.folder, tmp_path, [1], [1.0])


def test_a_table_of_all_runs_is_printed(recorded_run, capsys, monkeypatch):
    asked = []

    def score_run(run, store, segments, factors):
        asked.append((run, store))
        return np.arange(4.0).reshape(2, 2) / 4

    monkeypatch.setattr(evaluation_segments, "score_run", score_run)
    words = ["--store", "place", "--segments", "1", "4", "--factors", "1", "2"]
    assert evaluation_segments.main([str(recorded_run.folder.parent), *words]) == 0
    assert [run for run, _ in asked] == [recorded_run.folder]
    assert capsys.readouterr().out.splitlines() == [
        "UA on the validation speakers of 1 runs, mean, %",
        "segments  factor 1  factor 2",
        "1              0.0      25.0",
        "4             50.0      75.0",
    ]


def test_a_folder_without_runs_is_told(tmp_path, capsys):
    assert evaluation_segments.main([str(tmp_path)]) == 2
    assert f"{tmp_path}: expected complete runs, found none" in capsys.readouterr().err
