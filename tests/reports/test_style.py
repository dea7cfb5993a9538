"""The style of every picture."""

import pytest

from reports.style import drawn_to


@pytest.mark.parametrize("name", [r"cost $5 \zz and $6", r"a\b $y$ #1", "50 $"])
def test_names_are_drawn_as_they_are_written(tmp_path, name):
    with drawn_to(tmp_path / "a.png", 2.0) as figure:
        axes = figure.subplots()
        axes.set(xlabel=name)
        axes.bar([0], [1], label=name)
        axes.set_xticks([0], [name])
        axes.legend()
        texts = [axes.xaxis.label, *axes.get_legend().get_texts()]
        texts += axes.get_xticklabels()
        assert [(text.get_text(), text.get_parse_math()) for text in texts] == [(name, False)] * 3
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
