"""Equations between dollar signs as MathML, which browsers draw themselves: no script, no font."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

_EQUATION = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
"""HTML that the Markdown extension arithmatex makes of `$...$`, and of `$$...$$` in a `div`."""


def on_page_content(content: str, **_: Any) -> str:
    """Return a page's HTML with MathML for its equations."""
    return _EQUATION.sub(_mathml, content)


def _mathml(found: "re.Match[str]") -> str:
    display = "block" if found["tag"] == "div" else "inline"
    mathml = convert(html.unescape(found["tex"]).strip(), display=display)
    # `\sim` is a relation, with space around it
    return mathml.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")
