"""Several corpora in `--dataset`: how they are named, and names of runs that have one."""

from dataclasses import replace

import pytest

from ser_aae.config import RunConfig, named_dataset, stored_dataset
from ser_aae.config.build import build_config
from ser_aae.config.fields import Given
from ser_aae.errors import UserError


def build(text, *assignments, **more):
    flags = [Given("dataset", text, "--dataset")] if text else []
    return build_config(flags=flags, assignments=assignments, **more)


def test_names_with_commas_between_are_joined():
    config = build("RAVDESS, urdu,turev", aliases={"emotion-db": "emodb"})
    assert config.emotional == ("ravdess", "urdu", "turev")
    assert config.title == stored_dataset(config.to_record()) == "ravdess+urdu+turev"
    assert config.datasets[:3] == config.emotional


def test_one_corpus_keeps_its_digest_and_joined_ones_have_another():
    one = RunConfig(dataset="ravdess")
    assert "joined" not in one.identity()
    assert replace(one, joined=("urdu",)).digest() != one.digest()
    # neither acts on a run of one corpus
    data = replace(one.data, corpus_balance="even", normalisation="corpus")
    assert replace(one, data=data).digest() == one.digest()
    assert replace(one, data=data, joined=("urdu",)).digest() != one.digest()


def test_tables_may_be_among_them_and_their_paths_may_hold_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b.csv").write_text("path\n")
    alone = build("csv:a,b.csv")
    assert (alone.dataset, alone.joined) == ("csv:a,b.csv", ())
    both = build("ravdess,csv:calls.csv")
    assert both.joined == ("csv:calls.csv",)
    assert both.title == f"ravdess+{both.stored_name('csv:calls.csv')}"
    assert [table.given for table in both.tables] == ["csv:calls.csv"]


def test_a_stored_config_is_read_as_it_was_written(tmp_path):
    config = build("ravdess,urdu")
    path = tmp_path / "config.json"
    path.write_text(
        str(config.to_record()).replace("'", '"').replace("False", "false").replace("True", "true")
    )
    again = build_config(file=path, stored=True)
    assert again == config
    # another data set replaces all of them
    assert build_config(file=path, flags=[Given("dataset", "emodb", "--dataset")]).joined == ()
    plain = config.to_dict()
    del plain["joined"]
    assert named_dataset(plain) == "ravdess"


def test_many_names_are_told_short():
    config = RunConfig(dataset="a" * 60, joined=("b" * 60, "c"))
    assert config.title == f"{'a' * 60}+2-others"


@pytest.mark.parametrize(
    ("text", "assignments", "words"),
    [
        ("ravdess,,urdu", (), "--dataset: expected names with commas between"),
        ("ravdess,RAVDESS", (), "each corpus once, got ravdess twice"),
        ("ravdess,urdu", ("joined=emodb",), "names 2 corpora, and --set joined names further"),
        (
            "ravdess,urdu",
            ("protocol.name=cross-corpus", "protocol.target=urdu"),
            "each corpus once, got urdu twice",
        ),
        (
            "ravdess,urdu,emodb",
            ("data.corpus_balance=even", "data.labelled_rows=2"),
            "data.corpus_balance: expected size where a batch has 2",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused(text, assignments, words):
    with pytest.raises(UserError, match=words):
        build(text, *assignments)
