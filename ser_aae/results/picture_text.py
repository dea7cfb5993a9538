"""Texts in pictures: names as they are written, whatever they begin with and whatever script."""

from contextlib import suppress
from functools import cache

_FONT = "DejaVu Sans"
"""Font of matplotlib itself; it has Latin, Greek, Cyrillic, Arabic and Hebrew letters."""

_FURTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Source Han Sans SC"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB"),
    *("Microsoft YaHei", "SimHei", "MS Gothic", "Malgun Gothic", "Arial Unicode MS"),
    *("Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil", "Noto Sans Thai"),
    *("Noto Nastaliq Urdu", "Noto Sans Ethiopic", "Nirmala UI", "Leelawadee UI"),
)
"""Fonts that are taken for letters that the first one lacks, where they are installed."""


@cache
def font_families() -> tuple[str, ...]:
    """Return the fonts of texts in pictures: a letter is drawn in the first that has it."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    # matplotlib remembers the fonts that it found once; those that were installed later are added
    known = {entry.fname for entry in fontManager.ttflist}
    for path in set(findSystemFonts()) - known:
        with suppress(RuntimeError, OSError):  # a kind of font that matplotlib does not read
            fontManager.addfont(path)
    installed = set(fontManager.get_font_names())
    return (_FONT, *(name for name in _FURTHER_FONTS if name in installed))


def legend_name(name: str) -> str:
    """Return a name as a legend shows it.

    Matplotlib leaves out what begins with an underscore; behind a thin space it does not.
    """
    return f"\N{THIN SPACE}{name}" if name.startswith("_") else name
