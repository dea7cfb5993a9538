"""Facts of a corpus that a run or an experiment depends on, as its adapter states them."""

from dataclasses import dataclass

ELICITATIONS = ("acted", "induced", "natural", "synthetic")
"""Ways in which emotions came into the speech of a corpus."""


@dataclass(frozen=True)
class CorpusFacts:
    """Facts of a corpus that a run or an experiment depends on; its adapter states them.

    Attributes:
        title: Name in the paper, `""` where the corpus is called by its own.
        elicitation: One of `ELICITATIONS`, `""` where it has no emotions, or nobody knows.
        level_edges: Closed upper edges of the low and the medium level of activation and
            valence (Table 2), `None` where the paper does not say.
        aliases: Other spellings of its name, in lower case.
        subset: Subset that trains where the corpus is auxiliary, `""` for all (Sec. 4.1.3).
        speakers: Number of speakers drawn of that subset, 0 for all.
        verification_subset: Subset whose speakers are verified, and train nothing (Sec. 5).
    """

    title: str = ""
    elicitation: str = ""
    level_edges: tuple[float, float] | None = None
    aliases: tuple[str, ...] = ()
    subset: str = ""
    speakers: int = 0
    verification_subset: str = ""
