"""MSP-IMPROV in its full size, with the published counts, and copies that are damaged."""

import os
from collections import Counter
from dataclasses import replace

import pytest
from corpus_layouts import msp as layout
from corpus_layouts import msp_labels
from corpus_layouts.sound import write_tone

from data_prep.corpora import find_adapter, msp
from ser_aae.errors import UserError
from ser_aae.labels import FOUR


@pytest.fixture(scope="session")
def full_root(tmp_path_factory):
    root = tmp_path_factory.mktemp("full")
    msp_labels.write(root)
    return root


@pytest.fixture(scope="session")
def full(full_root):
    return find_adapter("msp").read(full_root)


@pytest.fixture
def root(tmp_path):
    layout.write(tmp_path)
    return tmp_path / "msp"


def reasons(corpus):
    return Counter(item.reason for item in corpus.dropped)


def test_full_corpus_has_the_published_counts(full):
    four = {emotion: full.counts[f"utterances of {emotion}"] for emotion in FOUR}

    assert four == {"anger": 792, "happiness": 2644, "neutral": 3477, "sadness": 885}
    assert sum(four.values()) == 7798
    assert full.counts["utterances"] == len(full.utterances) == 8438
    assert Counter(item.emotion for item in full.utterances) == four | {"other": 85, "": 555}
    assert full.dropped == ()
    assert full.unknown_labels == ()


def test_full_corpus_has_the_published_counts_of_each_type(full):
    found = Counter((item.extra["scenario"], item.extra["consensus"]) for item in full.utterances)
    elicited = Counter(item.extra["elicitation"] for item in full.utterances if item.emotion
                       in FOUR)  # fmt: skip

    assert found == {
        (kind, letter): count
        for kind, counts in msp_labels.CONSENSUS.items()
        for letter, count in counts.items()
    }
    assert elicited == {"improvised": 4580, "scripted": 578, "natural": 2640}
    four = sum(found["S", letter] for letter in "AHNS")
    assert four == 3940  # one variant of the literature
    assert sum(found[kind, letter] for kind in "PRST" for letter in "OX") == 640


def test_full_corpus_has_the_published_counts_of_sessions_and_speakers(full):
    sessions = Counter(item.session for item in full.utterances)
    rated = Counter(item.speaker for item in full.utterances if item.valence is not None)
    pairs = {(item.speaker, item.gender, item.session) for item in full.utterances}

    assert (sessions["session5"], sessions["session6"]) == (1505, 1622)
    assert sum(sessions[f"session{k}"] for k in range(1, 5)) == 5311
    assert rated == {f"msp:{speaker}": count for speaker, count in msp_labels.RATED.items()}
    assert pairs == {(f"msp:{g}{k:02d}", g, f"session{k}") for g in "FM" for k in range(1, 7)}


def test_full_corpus_has_the_published_levels(full, count_levels):
    activation = [item.activation for item in full.utterances if item.activation is not None]
    as_stored = [
        replace(item, activation=float(item.extra["activation_stored"]))
        for item in full.utterances
        if "activation_stored" in item.extra
    ]

    assert count_levels(full.utterances, "activation") == (4507, 3035, 843)
    assert count_levels(full.utterances, "valence") == (2214, 3531, 2640)
    # had they not been turned round
    assert count_levels(as_stored, "activation") == (905, 3134, 4346)
    assert (activation.count(2.5), activation.count(3.5)) == (161, 62)


def test_all_raters_of_the_full_corpus_are_read_once(full, full_root):
    expected = {}
    for block in (full_root / "msp" / "Evalution.txt").read_text().split("\n\n"):
        first, *raters = block.splitlines()
        expected[first.split(".")[0].replace("UTD", "MSP")] = len(set(raters))

    found = {
        item.utterance_id: sum(int(vote.split()[1]) for vote in item.extra["votes"].split(", "))
        for item in full.utterances
    }
    assert found == expected
    assert min(expected.values()) == 5
    assert max(expected.values()) == 40


def test_dialogs_have_turns_of_two_speakers_at_most(full):
    speakers = {}
    for item in full.utterances:
        speakers.setdefault(item.extra["dialog"], set()).add(item.speaker)

    assert {len(names) for names in speakers.values()} == {1, 2}
    assert {len(item.extra["transcript"]) for item in full.utterances if item.valence} == {11}


def test_missing_session_is_told_with_what_its_labels_say(root, tmp_path):
    (root / "Audio" / "session2").rename(tmp_path / "elsewhere")

    with pytest.raises(UserError) as caught:
        find_adapter("msp").read(tmp_path)

    assert "utterances of session2: expected 3, found 0" in str(caught.value)
    assert "utterances of session1" not in str(caught.value)
    assert "sessions: expected 6, found 1" in str(caught.value)
    assert "utterances: expected 8438, found 4" in str(caught.value)
    partial = find_adapter("msp").read(tmp_path, allow_partial=True)
    assert reasons(partial)[msp.EXCLUDED["audio"]] == 3
    assert len(partial.utterances) == 4


def test_missing_label_file_is_told_with_the_names_looked_for(root):
    (root / "Evalution.txt").unlink()
    (root / "Evaluation.txt").mkdir()
    (root / "evalution.txt").symlink_to(root / "gone.txt")

    with pytest.raises(UserError, match=r"called Evalution\.txt or Evaluation\.txt") as caught:
        msp.read(root)

    assert str(root) in str(caught.value)
    assert "msp-lab" in str(caught.value)


def test_two_label_files_are_refused_only_where_they_differ(root):
    copy = root / "Labels" / "Evaluation.txt"
    copy.parent.mkdir()
    copy.write_bytes(layout.LABELS.replace("\n", "\r\n").encode())
    assert len(msp.read(root).utterances) == 6

    copy.write_text(layout.LABELS.replace("; H;", "; A;"))
    with pytest.raises(UserError, match=r"found Evalution\.txt and Labels/Evaluation\.txt"):
        msp.read(root)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_line_ends_and_encodings_do_not_matter(root, line_end, encoding):
    before = msp.read(root).utterances
    text = layout.LABELS.replace("so-so", "mä\x85ßig").replace("\n", line_end)
    (root / "Evalution.txt").write_bytes(text.encode(encoding))

    assert msp.read(root).utterances == before


@pytest.mark.parametrize(
    "content",
    [layout.LABELS.encode("utf-16"), b"", b"\x00\xff\xfe" * 50, b"no label\n" * 5],
    ids=["utf-16", "empty", "binary", "another text"],
)
def test_file_without_labels_is_refused(root, content):
    (root / "Evalution.txt").write_bytes(content)

    with pytest.raises(UserError, match=r"Evalution\.txt: expected lines such as .* UTF-8"):
        msp.read(root)


def test_damaged_lines_are_listed_and_their_raters_given_to_nobody_else(root):
    text = layout.LABELS.replace("; A; A:2.500000", "; A; A:high")
    text = text.replace("Sad; Depressed; A:", "Sad A:")
    (root / "Evalution.txt").write_text("a heading\n" + text)

    corpus = msp.read(root)

    lines = [item.where for item in corpus.dropped if item.reason == msp.EXCLUDED["line"]]
    assert sorted(lines, key=len) == [f"Evalution.txt:{n}" for n in (1, 8, 9, 22)]
    votes = {item.utterance_id: item.extra.get("votes") for item in corpus.utterances}
    assert votes["MSP-IMPROV-S01A-F01-P-FM01"] == "Happy 2, Neutral 1"
    assert "MSP-IMPROV-S01A-F01-S-FM01" not in votes
    assert reasons(corpus)[msp.EXCLUDED["label"]] == 2


def test_label_file_cut_short_loses_nothing_silently(root):
    whole = msp.read(root)
    (root / "Evalution.txt").write_text(layout.LABELS[: len(layout.LABELS) // 2])

    cut = msp.read(root)

    assert 0 < len(cut.utterances) < len(whole.utterances)
    names = {item.path for item in cut.utterances} | {item.where for item in cut.dropped}
    assert {item.path for item in whole.utterances} <= names


def test_a_turn_with_two_lines_has_the_first_and_the_second_is_listed(root):
    with (root / "Evalution.txt").open("a") as stream:
        stream.write("\n" + layout.LABELS.splitlines()[0].replace("; H;", "; S;") + "\n")

    corpus = msp.read(root)

    assert [item.where for item in corpus.dropped if item.reason == msp.EXCLUDED["again"]] == [
        "Evalution.txt:26"
    ]
    assert corpus.utterances[0].emotion == "happiness"


def test_unknown_letter_stays_a_class_of_its_own(root):
    (root / "Evalution.txt").write_text(layout.LABELS.replace("; H;", "; F;"))

    assert msp.read(root).unknown_labels == ("f",)


def test_folders_called_as_sound_and_links_that_lead_nowhere(root, tmp_path):
    turn = root / "Audio" / "session1" / "S01A" / "P" / "MSP-IMPROV-S01A-F01-P-FM01.wav"
    for path in (turn, root / "copy", root / "from-video"):
        path.rename(tmp_path / path.name)
    turn.mkdir()
    looped = root / "Audio" / "MSP-IMPROV-S01A-F01-P-FM01.wav"
    looped.symlink_to(looped)
    (root / "Audio" / "gone.wav").symlink_to(root / "nowhere.wav")
    (root / "Audio" / "round").symlink_to(root / "Audio", target_is_directory=True)

    corpus = msp.read(root)

    assert {item.where: item.reason for item in corpus.dropped if item.reason in
            (msp.EXCLUDED["link"], msp.EXCLUDED["audio"])} == {
        "Audio/MSP-IMPROV-S01A-F01-P-FM01.wav": msp.EXCLUDED["link"],
        "Audio/gone.wav": msp.EXCLUDED["link"],
        "Audio/session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav": msp.EXCLUDED["link"],
        "Evalution.txt:1": msp.EXCLUDED["audio"],
        "Evalution.txt:23": msp.EXCLUDED["audio"],
    }  # fmt: skip
    assert len(corpus.utterances) == 5


def test_folders_may_have_any_name_and_links_to_sound_are_sound(root, tmp_path):
    outside = write_tone(tmp_path / "store" / "0001.wav")
    folder = root / "Größe 大きさ" / "e\u0301"
    folder.mkdir(parents=True)
    os.symlink(outside, folder / "MSP-IMPROV-S02S-F02-T-FM01.wav")

    corpus = msp.read(root)

    assert "Größe 大きさ/e\u0301/MSP-IMPROV-S02S-F02-T-FM01.wav" in {
        item.path for item in corpus.utterances
    }
    assert reasons(corpus)[msp.EXCLUDED["audio"]] == 0
