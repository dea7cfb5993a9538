"""The plan of a grid: the runs that are missing, and what they would take."""

from dataclasses import replace

import pytest

from ser_aae.errors import UserError
from ser_aae.files.atomic import write_json
from ser_aae.grid.plan import make_plan, pretraining_epochs, size
from ser_aae.results.folder import run_folder


@pytest.fixture
def configs(kfold_config):
    """Four folds that may take 10 epochs each."""
    training = replace(kfold_config.training, epochs=10, pretraining_epochs=5)
    return [
        replace(kfold_config, training=training, protocol=replace(kfold_config.protocol, fold=fold))
        for fold in range(4)
    ]


def complete(runs, config, seconds, content="x" * 1000, pretraining_seconds=0):
    folder = run_folder(runs, config)
    begin(runs, config)
    result = {"seconds": seconds, "pretraining_seconds": pretraining_seconds}
    write_json(folder / "result.json", result)
    (folder / "best.weights.h5").write_text(content)
    return sum(path.stat().st_size for path in folder.iterdir())


def begin(runs, config):
    write_json(run_folder(runs, config) / "config.json", {})


def test_nothing_done_leaves_everything_to_do_without_an_estimate(configs, tmp_path):
    plan = make_plan(configs, str(tmp_path / "none"))
    assert (plan.total, plan.begun, plan.seconds, plan.bytes) == (4, 0, None, None)
    assert plan.missing == tuple(configs)
    assert plan.describe(2) == [
        "4 runs: 0 done, 4 to do",
        "no run is done yet from which time and disk could be estimated",
    ]
    assert not (tmp_path / "none").exists()


def test_what_is_named_twice_is_one_run(configs, tmp_path):
    assert make_plan([*configs, *configs], str(tmp_path)).total == 4


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_done_and_begun_runs_are_told_from_missing_ones(configs, tmp_path, prefix):
    volume = complete(tmp_path, configs[0], 120)
    begin(tmp_path, configs[2])
    plan = make_plan(configs, f"{prefix}{tmp_path}")
    assert plan.missing == (configs[1], configs[2], configs[3])
    assert plan.begun == 1
    assert plan.seconds == pytest.approx(3 * 120)
    assert plan.bytes == pytest.approx(3 * volume)
    first, second = plan.describe(2)
    assert first == "4 runs: 1 done, 3 to do, 1 of them begun"
    assert second.startswith("by the runs done so far about 3 min with 2 at a time, and 3.")
    assert second.endswith("kB of disk")
    # never more at a time than there are runs
    assert "about 2 min with 3 at a time" in plan.describe(16)[1]


def test_all_done_leaves_nothing_to_estimate(configs, tmp_path):
    for config in configs:
        complete(tmp_path, config, 10)
    plan = make_plan(configs, str(tmp_path))
    assert plan.missing == ()
    assert plan.describe(2) == ["4 runs: 4 done, 0 to do"]


def test_an_estimate_goes_by_the_runs_that_are_most_like_the_missing_one(configs, tmp_path):
    def of_kind(config, kind, **named):
        return replace(config, model=replace(config.model, kind=kind), **named)

    quick, slow = of_kind(configs[0], "cnn"), of_kind(configs[0], "mtl")
    complete(tmp_path, quick, 10)
    complete(tmp_path, slow, 1000)
    same_model = of_kind(configs[1], "cnn")
    other_corpus = of_kind(configs[1], "mtl", dataset="foreign")
    neither = of_kind(configs[1], "ae", dataset="foreign")
    for config, seconds in ((same_model, 10), (other_corpus, 1000), (neither, 505)):
        plan = make_plan([quick, slow, config], str(tmp_path))
        assert plan.seconds == pytest.approx(seconds)


def test_an_estimate_grows_with_the_epochs_of_both_stages(configs, tmp_path):
    complete(tmp_path, configs[0], 100)
    longer = replace(configs[1], training=replace(configs[1].training, epochs=30))
    with_auxiliary = replace(configs[1], auxiliary=("voices",))
    assert [pretraining_epochs(c) for c in (longer, with_auxiliary)] == [0, 5]
    for config, seconds in ((longer, 300), (with_auxiliary, 150)):
        assert make_plan([configs[0], config], str(tmp_path)).seconds == pytest.approx(seconds)


def test_a_stage_one_that_runs_share_is_estimated_once(configs, tmp_path):
    shared = [replace(config, auxiliary=("voices",)) for config in configs]
    complete(tmp_path, shared[0], 150, pretraining_seconds=50)
    assert make_plan(shared, str(tmp_path)).seconds == pytest.approx(3 * 100)
    other_seed = [replace(config, seed=1) for config in shared]
    plan = make_plan([shared[0], *other_seed], str(tmp_path))
    assert plan.seconds == pytest.approx(4 * 100 + 50)
    more_speakers = replace(shared[1], data=replace(shared[1].data, auxiliary_speakers=9))
    assert make_plan([shared[0], more_speakers], str(tmp_path)).seconds == pytest.approx(150)


def test_one_run_of_each_stage_one_comes_first(configs, tmp_path):
    trained = [replace(config, auxiliary=("voices",)) for config in configs]
    other = [replace(config, seed=1) for config in trained]
    plan = make_plan([*configs, *trained, *other], str(tmp_path))
    assert plan.stage_ones == (trained[0], other[0])
    assert plan.missing == (trained[0], other[0], *configs, *trained[1:], *other[1:])


def test_a_stage_one_on_the_training_part_is_each_runs_own(configs, tmp_path):
    own = [
        replace(config, training=replace(config.training, pretraining_data="training"))
        for config in configs
    ]
    plan = make_plan(own, str(tmp_path))
    assert {config.protocol.fold for config in plan.stage_ones} == {0, 1, 2, 3}
    assert len(plan.stage_ones) == 4


def test_a_result_that_cannot_be_read_is_named(configs, tmp_path):
    complete(tmp_path, configs[0], 1)
    (run_folder(tmp_path, configs[0]) / "result.json").write_text("{")
    with pytest.raises(UserError, match=r"fold00-rep00/result\.json: not JSON"):
        make_plan(configs, str(tmp_path))


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (2500, "2.5 kB"), (3.2e9, "3.2 GB")]
)
def test_sizes_are_said_as_people_say_them(count, said):
    assert size(count) == said


def test_terabytes_are_the_largest_unit():
    assert size(5e15) == "5e+03 TB"
