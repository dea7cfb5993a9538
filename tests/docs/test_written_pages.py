"""The pages that hooks write from the code: nothing of the code is missing in them."""

import argparse
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from docs.hooks import commands, equations, reference, settings, top_level
from ser_aae.cli import build_parser
from ser_aae.config import ModelConfig
from ser_aae.config.fields import settings as all_settings
from ser_aae.config.presets import PRESETS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def commands_page():
    return commands.write_page(build_parser())


@pytest.fixture(scope="module")
def settings_page():
    return settings.write_page()


def subparsers():
    return build_parser()._subparsers._group_actions[0].choices


@pytest.mark.parametrize("name", subparsers())
def test_a_command_has_all_its_options_in_its_section(commands_page, name):
    section = commands_page.partition(f"\n## {name} {{")[2].partition("\n## ")[0]
    assert f"```text\nser-aae {name} [-h]" in section
    told = [each for each in subparsers()[name]._actions[1:] if each.help != argparse.SUPPRESS]
    for action in told:
        for option in action.option_strings or [action.metavar]:
            assert re.search(rf"^`[^`]*{re.escape(option)}[^`]*`$", section, re.MULTILINE), option
        assert f":   {action.help}" in section


def test_the_table_on_top_links_each_command(commands_page):
    linked = re.findall(r"^\| \[`ser-aae ([\w-]+)`\]\(#([\w-]+)\)", commands_page, re.MULTILINE)
    assert linked == [(name, name) for name in subparsers()]


def test_an_option_is_spelt_as_it_is_typed():
    parser = argparse.ArgumentParser(prog="tool")
    command = parser.add_subparsers().add_parser("weigh", help="put on a scale")
    command.add_argument("--unit", choices=("g", "kg"), required=True, help="of the weight")
    command.add_argument("--secret", help=argparse.SUPPRESS)
    command.add_argument("things", nargs="+", metavar="THING", help="what is weighed")
    page = commands.write_page(parser)
    assert "\nPut on a scale.\n" in page
    assert "\n`--unit g|kg`\n:   of the weight (required)\n" in page
    assert "\n`THING ...`\n:   what is weighed\n" in page
    assert "secret" not in page


def test_every_setting_has_a_row_with_all_that_is_known_of_it(settings_page):
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*) \|$", settings_page, re.MULTILINE))
    assert list(rows) != []
    assert rows.keys() == all_settings().keys()
    for key, (item, _) in all_settings().items():
        default, paper, meaning = rows[key].split(" | ")
        assert meaning.startswith(f"{item.metadata['doc']} <br>*{item.metadata['source']}; ")
        assert (paper != "") == (PRESETS["paper"].get(key, item.default) != item.default), default
        assert all(word in meaning for word in item.metadata["choices"] or ())


def test_values_are_written_as_they_are_set(settings_page):
    assert "| `model.filters` | `16,32` | `32,64` |" in settings_page
    assert "| `model.discriminator_batch_norm` | `false` | `true` |" in settings_page
    assert "| `auxiliary` | empty |  |" in settings_page
    assert "a number from 0 to 1*" in settings_page.partition("| `model.beta`")[2].split("\n")[0]


def test_settings_are_in_the_section_of_their_group(settings_page):
    section = settings_page.partition("\n## model.* {")[2].partition("\n## ")[0]
    assert ModelConfig.__doc__ in section
    assert section.count("\n| `model.") == len(fields(ModelConfig))


def test_modules_are_listed_with_what_they_say_of_themselves():
    found = reference.modules(ROOT)
    assert (
        found["ser_aae.model.losses"]
        == "Losses: one function per equation of Sec. 3; each returns a scalar."
    )
    assert "data_prep.corpora.ravdess" in found
    assert not [name for name in found if "_" in name.rpartition(".")[2][:1]]
    assert not [name for name in found if name.startswith("ser_aae.commands")]
    assert {name.partition(".")[0] for name in found} == set(reference.PACKAGES)
    assert not [name for name, first in found.items() if not first]


def test_public_names_exist_and_stand_first():
    page = reference.write_index({"a.one": "First."})
    for name, what in reference.PUBLIC.items():
        module, _, leaf = name.rpartition(".")
        assert getattr(import_module(module), leaf).__module__ == module
        assert module in reference.modules(ROOT)
        assert page.index(f"[`{leaf}`]({module}.md) of `{module}` | {what} |") < page.index(
            "## a\n"
        )


def test_the_list_of_modules_has_a_table_for_each_package():
    page = reference.write_index({"a.one": "First.", "a.two": "Second.", "a.b.three": "Third."})
    assert page.count("| module | what is in it |") == 2
    assert page.index("## a\n") < page.index("[`two`](a.two.md) | Second. |")
    assert page.index("## a.b\n") < page.index("[`three`](a.b.three.md) | Third. |")


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("docs/cluster.md", "cluster.md"),
        ("docs/speed.md#a-trained", "speed.md#a-trained"),
        ("CONTRIBUTING.md", "contributing.md"),
        ("ser_aae/config/settings.py", "settings.md"),
        ("https://arxiv.org/abs/1907.06078", "https://arxiv.org/abs/1907.06078"),
        ("#try-it", "#try-it"),
    ],
)
def test_links_of_a_top_level_document_lead_to_pages(link, page):
    assert top_level.as_page(f"see [it]({link}).") == f"see [it]({page})."


def test_an_equation_becomes_mathml():
    content = '<p>for <span class="arithmatex">\\(d \\sim N\\)</span> and</p>'
    mathml = equations.on_page_content(content)
    assert re.fullmatch(r'<p>for <math .*display="inline">.*</math> and</p>', mathml)
    assert "<mo>&#x0223C;</mo>" in mathml


def test_an_equation_on_a_line_of_its_own_is_a_block():
    mathml = equations.on_page_content('<div class="arithmatex">\\[\na &lt; b\n\\]</div>')
    assert re.fullmatch(r'<math .*display="block">.*</math>', mathml)
    assert "&#x0003C;" in mathml


def test_what_is_no_equation_is_left_alone():
    content = "<p>\\(x\\) in <code>$HOME</code></p>"
    assert equations.on_page_content(content) == content
