"""A stage that goes on where an earlier version was interrupted."""

from ser_aae.files.atomic import append_jsonl, read_jsonl
from ser_aae.files.digests import digest_of_plain
from ser_aae.results.folder import EPOCHS
from ser_aae.training.stage import _forget_epochs_after


def test_a_log_that_two_versions_wrote_goes_on_at_its_backup(tmp_path):
    rows = [{"stage": 1, "epoch": 0}, {"stage": 2, "epoch": 0}, {"stage": 2, "number": 2}]
    for row in (*rows, {"stage": 2, "number": 3}):
        append_jsonl(tmp_path / EPOCHS, row)
    _forget_epochs_after(tmp_path, stage=2, epoch=1, digest=digest_of_plain(rows, 16))
    assert read_jsonl(tmp_path / EPOCHS) == rows
