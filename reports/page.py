"""The report as one HTML page: nothing is fetched, pictures are inside, text is escaped."""

import base64
import html
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from reports.picture_form import DPI
from reports.table_formats import to_html

_WIDTH_AT = 16
"""Place of the width in a PNG, in the chunk IHDR that begins each (its specification, 11.2.2)."""

_METRES_PER_INCH = 0.0254

_CSS = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-top: 2px solid #1a1a1a;
  padding-top: 1rem; overflow-wrap: anywhere; } h3 { font-size: 1.05rem; margin-bottom: .3rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #d0d0d0; text-align: left;
  vertical-align: top; white-space: nowrap; }
th { border-bottom: 2px solid #1a1a1a; white-space: normal; }
td.long { white-space: normal; min-width: 9rem; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 .5rem; margin: 0 .3rem .3rem 0; font-size: .85rem;
  border: 1px solid #1a1a1a; border-radius: .8rem; }
.warn { border-left: 4px solid #b34700; background: #fff4ec; padding: .5rem .8rem;
  margin: .5rem 0; }
.lead { font-size: 1.15rem; }
code { font-size: .85em; background: #f2f2f2; padding: .1em .3em; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } img { width: var(--width); max-width: 100%; height: auto; }
figcaption { font-size: .85rem; color: #404040; }
.origin { font-size: .9rem; border-left: 4px solid #404040; padding: .2rem .8rem; }
details { margin: .8rem 0; } summary { cursor: pointer; font-weight: 600; }
.small { font-size: .85rem; color: #404040; font-weight: 400; }
nav ol { margin: 0; padding-left: 1.4rem; columns: 22rem; column-gap: 2.5rem; }
nav li { break-inside: avoid; overflow-wrap: anywhere; }
@media (max-width: 60rem) { th, td { padding: .25rem .35rem; } table { font-size: .8rem; }
  td { white-space: normal; } }
@media (max-width: 40rem) {
  img { max-width: none; width: min(var(--width), 36rem); }
  table { font-size: .85rem; }
  table, tbody { display: block; }
  th { display: none; }
  tr:not(:first-child) { display: block; border-bottom: 2px solid #1a1a1a; padding: .2rem 0; }
  td { display: inline-block; border-bottom: 0; padding: .1rem 1rem .1rem 0; }
  td.long { display: block; min-width: 0; }
  td:empty { display: none; }
  td:not([data-head=""])::before { content: attr(data-head) ": "; color: #404040; }
}
"""


@dataclass
class Section:
    """One experiment on the page; all strings are plain text.

    Attributes:
        title: Heading of the section.
        name: Short name that stands small beside the heading, such as a digest.
        badges: Short marks beside it: synthetic, protocol, speaker-independent.
        lead: The sentence with the main figure.
        warnings: Sentences to read before believing a figure.
        tables: Heading and table, with the command that recomputes it.
        pictures: PNG and its caption.
        origin: Line on what the figures are made of, under the pictures, or under the tables where
            there are none.
        notes: Sentences, each with a command or `""`.
        details: Heading and table, folded away.
    """

    title: str
    name: str = ""
    badges: list[str] = field(default_factory=list)
    lead: str = ""
    warnings: list[str] = field(default_factory=list)
    tables: list[tuple[str, pd.DataFrame, str]] = field(default_factory=list)
    pictures: list[tuple[Path, str]] = field(default_factory=list)
    origin: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    details: list[tuple[str, pd.DataFrame]] = field(default_factory=list)


def page(
    title: str, introduction: str, sections: Sequence[Section], warning: str = "", made_of: str = ""
) -> str:
    """Return the whole page as HTML.

    Args:
        title: Its title.
        introduction: Sentences that explain what stands in the tables.
        sections: The sections in their order; where there are several, a list of them leads there.
        warning: A sentence that stands above everything.
        made_of: A line under the title, on what the page was made of.
    """
    below = f'<p class="small">{html.escape(made_of)}</p>\n' if made_of else ""
    warned = f'<p class="warn">{html.escape(warning)}</p>\n' if warning else ""
    first, *others = (_section(section, number) for number, section in enumerate(sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{below}{warned}<p>{html.escape(introduction)}</p>\n"
        f"{first}{_contents(sections)}{''.join(others)}</body>\n</html>\n"
    )


def _contents(sections: Sequence[Section]) -> str:
    """Return the list of the sections after the first, where there are several."""
    if len(sections) < 3:
        return ""
    links = "".join(
        f'<li><a href="#s{number}">{html.escape(section.title)}</a>{_small(section.name)}</li>\n'
        for number, section in enumerate(sections)
        if number
    )
    return f"<nav><h3>Contents</h3>\n<ol>\n{links}</ol></nav>\n"


def _small(text: str) -> str:
    return f' <span class="small">{html.escape(text)}</span>' if text else ""


def _section(section: Section, number: int) -> str:
    heading = f"{html.escape(section.title)}{_small(section.name)}"
    parts = [f'<h2 id="s{number}">{heading}</h2>\n<p>']
    parts += [f'<span class="badge">{html.escape(badge)}</span>' for badge in section.badges]
    parts.append("</p>\n")
    if section.lead:
        parts.append(f'<p class="lead">{html.escape(section.lead)}</p>\n')
    parts += [f'<p class="warn">{html.escape(text)}</p>\n' for text in section.warnings]
    for heading, frame, command in section.tables:
        parts.append(f"<h3>{html.escape(heading)}</h3>\n{to_html(frame)}{_command(command)}")
    origin = f'<p class="origin">{html.escape(section.origin)}</p>\n' if section.origin else ""
    if not section.pictures:
        parts.append(origin)
    for text, command in section.notes:
        parts.append(f"<p>{html.escape(text)}</p>\n{_command(command)}")
    for path, caption in section.pictures:
        parts.append(_picture(path, caption))
    if section.pictures:
        parts.append(origin)
    for heading, frame in ((name, item) for name, item in section.details if len(item)):
        inside = f"<summary>{html.escape(heading)}</summary>\n{to_html(frame)}"
        parts.append(f"<details>{inside}</details>\n")
    return "".join(parts)


def _command(command: str) -> str:
    return f"<p><code>{html.escape(command)}</code></p>\n" if command else ""


def _picture(path: Path, caption: str) -> str:
    content = path.read_bytes()
    data, text = base64.b64encode(content).decode("ascii"), html.escape(caption)
    return (
        f'<figure><div class="scroll"><img alt="{text}" style="--width: {_shown_width(content)}px" '
        f'src="data:image/png;base64,{data}"></div>'
        f"<figcaption>{text}</figcaption></figure>\n"
    )


def _shown_width(picture: bytes) -> int:
    """Return the width of a PNG on the page in pixels, by its inches: whatever its resolution is.

    So its letters have one size in every picture, one for print too. A screen that is narrower
    shows it smaller; on that of a phone, where nobody could read it, it is moved sideways.
    """
    (width,) = struct.unpack_from(">I", picture, _WIDTH_AT)
    place = picture.find(b"pHYs", 0, picture.find(b"IDAT"))
    if place < 0:
        return int(width)
    (dots_per_metre,) = struct.unpack_from(">I", picture, place + 4)
    return round(width / (dots_per_metre * _METRES_PER_INCH) * DPI)
