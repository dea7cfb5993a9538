"""The paper's own figures as data: the only numbers in a report that are not computed.

Latif, Rana, Khalifa, Jurdak, Epps, Schuller: Multi-Task Semi-Supervised Adversarial Autoencoding
for Speech Emotion Recognition, IEEE Trans. Affective Computing 13(2), arXiv 1907.06078. All in
per cent, mean and standard deviation over ten repetitions; a mean of other authors that Table 3
or 4 cites may lack the deviation. Figures 2 to 5 are drawn there without numbers, so they have
none here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ser_aae.experiments.cells import Cell

Pair = tuple[float, float | None]


@dataclass(frozen=True)
class Stated:
    """A figure of the paper.

    Attributes:
        mean: Mean in per cent.
        std: Deviation over ten repetitions; `None` where the paper gives none.
        source: Table and section.
        digits: Digits behind the point, as printed.
    """

    mean: float
    std: float | None
    source: str
    digits: int = 1

    def __str__(self) -> str:
        """Return it as the tables write it."""
        mean = f"{self.mean:.{self.digits}f}"
        return mean if self.std is None else f"{mean} ± {self.std:.{self.digits}f}"


_CORPORA = ("IEMOCAP", "MSP-IMPROV")

_TABLE_3: Mapping[tuple[str, str], tuple[Pair, Pair]] = {
    ("10-fold", "CNN, multi-task"): ((65.6, 2.0), (59.5, 2.4)),
    ("10-fold", "AE, multi-task"): ((66.4, 1.6), (60.2, 2.3)),
    ("10-fold", "AAE, multi-task"): ((68.8, 1.2), (63.6, 1.7)),
    ("loso", "AAE, multi-task"): ((66.7, 1.4), (60.3, 1.1)),
    ("loso", "AAE, single task"): ((64.5, 1.5), (58.1, 1.7)),
}

_TABLE_3_CITED: Mapping[tuple[str, str], tuple[Pair, Pair | None]] = {
    ("10-fold", "ProgNet, transfer learning [88]"): ((65.7, 1.8), (60.5, 2.1)),
    ("loso", "DBN, multi-task [30]"): ((62.2, None), None),
    ("loso", "CNN, multi-task [106]"): ((59.54, None), None),
    ("loso", "CVAE-LSTM, single task [20]"): ((62.8, None), None),
    ("loso", "CNN, single task [107]"): ((64.2, None), None),
}

_WITH_TWO_DIGITS = 59.54
"""Figure of Table 3 that is printed with two digits, as the only one."""

_TABLE_4 = {"Proposed": (46.41, 0.32)}
_TABLE_4_CITED: Mapping[str, Pair] = {
    "Attentive CNN [106]": (45.76, None),
    "Conditional-GAN [109]": (45.40, None),
    "CycleGAN-DNN [108]": (46.52, 0.43),
}

_TABLE_5: Mapping[str, tuple[Pair, ...]] = {
    "Gender": ((67.5, 1.5), (66.1, 1.7), (60.1, 1.2), (59.3, 1.1)),
    "Speaker": ((67.2, 1.3), (65.9, 1.6), (60.5, 1.2), (59.1, 1.5)),
    "Both": ((68.5, 1.2), (66.7, 1.4), (62.5, 1.4), (60.2, 1.2)),
}
_TABLE_5_COLUMNS = tuple(f"{corpus} {short}" for corpus in _CORPORA for short in ("WA", "UA"))

_TABLE_6: Mapping[str, tuple[Pair, ...]] = {
    "Gender": (
        *((62.6, 1.3), (61.4, 1.2), (65.7, 1.3), (53.2, 0.8)),
        *((53.7, 2.1), (53.4, 1.8), (60.1, 1.5), (43.6, 1.5)),
    ),
    "Speaker": (
        *((63.7, 1.2), (60.8, 0.8), (64.8, 1.5), (54.2, 1.2)),
        *((52.6, 2.5), (52.6, 2.3), (61.4, 1.0), (43.1, 1.2)),
    ),
    "Both": (
        *((64.5, 1.5), (62.2, 1.0), (65.1, 0.9), (55.1, 1.4)),
        *((54.6, 1.4), (55.4, 1.6), (62.1, 1.8), (44.3, 1.3)),
    ),
}
_DIMENSIONS = ("Activation", "Valence", "3 clusters", "5 clusters")
_TABLE_6_COLUMNS = tuple(f"{corpus} {name}" for corpus in _CORPORA for name in _DIMENSIONS)

_REMARK_ON_FIGURE_4 = (
    "The paper's Figure 4 is curves without numbers: its text says that they rise up to 600 "
    "speakers and are flat beyond."
)

REMARKS: Mapping[str, str] = {
    "table-3": "Tables 3 and 5 of the paper state one result differently: the multi-task model on "
    "MSP-IMPROV, leave-one-speaker-out, is 60.3 ± 1.1 in the one and 60.2 ± 1.2 in the other.",
    "table-5": "Tables 3 and 5 of the paper state one result differently: both tasks on "
    "MSP-IMPROV are 60.2 ± 1.2 here and 60.3 ± 1.1 in Table 3.",
    "figure-2": "The paper's Figure 2 has no numbers.",
    "figure-3": "The paper's Figure 3 is bars without numbers: its text says that MTL is above "
    "STL, the CNN and the AE in every group.",
    "figure-4": _REMARK_ON_FIGURE_4,
    "figure-4-multitask": _REMARK_ON_FIGURE_4,
    "figure-5": "The paper's Figure 5 is curves without numbers: its text says that alpha from "
    "0.4 to 0.6 and beta from 0.4 to 0.7 are best.",
}
"""Artefact to a remark on the paper's figures of it."""

LEVELS: Mapping[str, tuple[str, str, str]] = {
    "IEMOCAP": ("[1,2]", "(2,3.5]", "(3.5,5]"),
    "MSP-IMPROV": ("[1,2.5]", "(2.5,3.5]", "(3.5,5]"),
}
"""Table 2: corpus to the ranges of low/negative, medium/neutral and high/positive."""


def stated_figure(artefact: str, cell: Cell) -> Stated | None:
    """Return the paper's figure for a cell, `None` where the paper states none.

    A cell on corpora that the paper does not use has other columns, and so no figure.
    """
    panel, column = cell.panel if artefact == "table-3" else "", cell.column
    if artefact == "table-4":  # whose column names no corpora
        column = f"{cell.config.dataset} {cell.config.protocol.target}"
    return _STATED_FIGURES.get((artefact, panel, cell.row, column))


def cited_figures(artefact: str) -> list[tuple[str, str, str, Stated]]:
    """Return the figures of other authors in a table: panel, row, column, figure."""
    if artefact == "table-4":
        source = "Table 4, Sec. 5.3, cited there"
        return [("", row, "UA", Stated(*pair, source, 2)) for row, pair in _TABLE_4_CITED.items()]
    if artefact != "table-3":
        return []
    source = "Table 3, Sec. 5.2, cited there"
    return [
        (panel, row, corpus, Stated(*pair, source, 2 if pair[0] == _WITH_TWO_DIGITS else 1))
        for (panel, row), pairs in _TABLE_3_CITED.items()
        for corpus, pair in zip(_CORPORA, pairs, strict=True)
        if pair is not None
    ]


def _collect() -> dict[tuple[str, str, str, str], Stated]:
    found = {
        ("table-3", panel, row, corpus): Stated(*pair, "Table 3, Sec. 5.2")
        for (panel, row), pairs in _TABLE_3.items()
        for corpus, pair in zip(_CORPORA, pairs, strict=True)
    }
    for row, pair in _TABLE_4.items():
        found["table-4", "", row, "iemocap msp"] = Stated(*pair, "Table 4, Sec. 5.3", 2)
    for name, columns, rows in (
        ("table-5", _TABLE_5_COLUMNS, _TABLE_5),
        ("table-6", _TABLE_6_COLUMNS, _TABLE_6),
    ):
        for row, pairs in rows.items():
            for column, pair in zip(columns, pairs, strict=True):
                source = f"Table {name[-1]}, Sec. 6.1"
                found[name, "", row, column] = Stated(*pair, source)
    for column, pair in zip(_CORPORA, _TABLE_3["loso", "AAE, single task"], strict=True):
        single = Stated(*pair, "Table 3, Sec. 5.2, single task")
        found["table-5", "", "None", f"{column} UA"] = single
    return found


_STATED_FIGURES = _collect()
