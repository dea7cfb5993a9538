"""The benchmark of the bar: that one side has a bar, the other none."""

from benchmarks import progress_bar


def test_one_side_draws_and_the_other_does_not(monkeypatch):
    monkeypatch.setattr("ser_aae.progress.REFRESH_S", 0.0)
    model, batches = progress_bar.build_model()
    drawn, not_drawn = (
        progress_bar.run_epoch(model, batches, 5, is_drawn=is_drawn) for is_drawn in (True, False)
    )
    assert drawn > not_drawn + 4
