"""The pages as they are built: whole, and reading nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from docs.hooks.reference import modules

ROOT = Path(__file__).resolve().parents[2]
LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}
TENSORFLOW = ("tensorflow", "keras", "tensorflow_io", "keras_tuner")


class Loaded(HTMLParser):
    """Collects what a page loads: scripts, pictures, style sheets, fonts."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        address = dict(attributes).get(LOADING.get(tag))
        self.addresses += [address] if address else []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; a warning, as of a link that leads nowhere, is an error.

    It is built where TensorFlow cannot be imported: the reference is read from the source.
    """
    folder = tmp_path_factory.mktemp("site")
    blocked = "".join(f"sys.modules[{name!r}] = None; " for name in TENSORFLOW)
    code = f"import sys; {blocked}from mkdocs.__main__ import cli; cli()"
    command = [sys.executable, "-c", code, "build", "--strict", "--quiet", "--site-dir", folder]
    named = {"cwd": ROOT, "env": {**os.environ, "NO_MKDOCS_2_WARNING": "1"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, **named)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        str(path.relative_to(site)): path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
    }


@pytest.fixture(scope="module")
def loaded(pages):
    """Each page with the addresses that it loads."""
    return {name: Loaded(text).addresses for name, text in pages.items()}


def test_all_that_is_in_the_navigation_is_there(pages):
    navigation = re.findall(r": ([\w/-]+)\.md$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(navigation) >= 14
    assert {f"{name}.html" for name in navigation} <= pages.keys()
    assert {f"reference/{name}.html" for name in modules(ROOT)} <= pages.keys()


def test_pages_load_nothing_from_elsewhere(loaded, site):
    for name, addresses in loaded.items():
        for address in addresses:
            assert not re.match(r"\w+:|//", address), f"{name}: {address}"
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"(?:@import\s*|url\()[\"']?(?:https?:)?//", styles)


def test_what_the_pages_load_lies_beside_them(loaded, site):
    for name, addresses in loaded.items():
        folder = (site / name).parent
        for address in addresses:
            path = address.partition("?")[0].partition("#")[0].removeprefix("/")
            assert (folder / path).exists(), f"{name}: {address}"


def test_nothing_on_a_page_makes_the_theme_ask_elsewhere(pages):
    # its script fetches Mermaid where a page has such a picture, and facts on a repository
    # where one is named
    for name, text in pages.items():
        assert 'class="mermaid"' not in text, name
        assert 'data-md-component="source"' not in text, name


def test_equations_are_mathml_and_none_is_left_as_it_was_typed(pages):
    assert pages["method.html"].count("<math ") >= 15
    assert 'display="block"' in pages["method.html"]
    assert not [name for name, text in pages.items() if "arithmatex" in text]


def test_the_reference_shows_signatures_and_docstrings(pages):
    page = pages["reference/ser_aae.model.losses.html"]
    assert 'id="ser_aae.model.losses.discriminator_loss"' in page
    assert "tell samples of the prior (1) from codes (0)" in page
    assert "smoothing" in page
    assert "_cross_entropy" not in page


def test_the_search_knows_the_settings_and_needs_no_server(site):
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert index.startswith("var __index = ")
    assert "discriminator_rate_ratio" in index
    assert (site / "assets" / "iframe-worker.js").is_file()


def test_sources_of_the_pages_are_not_published(site):
    assert not list(site.rglob("*.py"))


def test_the_built_site_is_kept_out_of_the_repository_and_the_image():
    assert "/site/" in (ROOT / ".gitignore").read_text().splitlines()
    image = (ROOT / ".dockerignore").read_text().splitlines()
    assert image[1] == "*"
    assert not {"!site", "!docs"} & set(image)
    configured = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert configured["site_dir"] == "site"
    assert configured["strict"] is True
