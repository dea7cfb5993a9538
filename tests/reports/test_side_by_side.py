"""Reports that several processes compute: the same to the byte, and the same refusals."""

import shutil

import pytest

from data_prep.corpora import known_facts
from reports import side_by_side
from reports.build import Wishes, build_report
from reports.run_checks import check_runs
from ser_aae.errors import DamagedError, UserError


@pytest.fixture(scope="module")
def runs(fill_all, smoke, tmp_path_factory):
    """Runs of Table 4; not to be changed."""
    runs = tmp_path_factory.mktemp("runs")
    fill_all("table-4", smoke, runs)
    return runs


@pytest.fixture
def process_spy(monkeypatch):
    """Start a process for each experiment where several are allowed; keep their numbers."""
    kept = []
    inner = side_by_side.compute_in_order

    def spy(function, items, workers):
        kept.append(workers)
        return inner(function, items, workers)

    monkeypatch.setattr(side_by_side, "ITEMS_A_PROCESS", 1)
    monkeypatch.setattr(side_by_side, "compute_in_order", spy)
    return kept


def test_processes_write_the_same_report_to_the_byte(runs, tmp_path, process_spy):
    written = {}
    for workers in (1, 2):
        out = tmp_path / f"out{workers}"
        store, wishes = tmp_path / "store", Wishes(check=True)
        build_report(runs, out, store, known_facts(), workers=workers, wishes=wishes)
        written[workers] = {path.name: path.read_bytes() for path in out.iterdir()}
    assert process_spy == [1, 1, 1, 2, 2, 2]  # checks, evaluates, draws
    assert any(name.endswith("confusion.png") for name in written[1])
    assert written[1] == written[2]


def test_few_experiments_start_no_process(runs, monkeypatch):
    monkeypatch.setattr("ser_aae.processes.pool.ProcessPoolExecutor", None)
    assert len(check_runs(runs, workers=64)) == 1


def test_a_process_refuses_what_one_alone_refuses(runs, tmp_path, process_spy):
    shutil.copytree(runs, tmp_path / "runs")
    damaged = next((tmp_path / "runs").rglob("predictions.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-9])
    said = set()
    for workers in (1, 2):
        with pytest.raises(DamagedError, match=r"predictions\.parquet") as raised:
            build_report(tmp_path / "runs", tmp_path / "out", workers=workers)
        said.add(str(raised.value))
        with pytest.raises(UserError, match=r"1 of \d+ runs not in agreement"):
            check_runs(tmp_path / "runs", workers)
    assert len(said) == 1
    assert not (tmp_path / "out").exists()
