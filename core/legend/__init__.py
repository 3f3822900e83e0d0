"""What words stand for, everywhere the same: scores, baselines, values, letters."""

from core.legend.scores import BASELINES, SCORES, Score, baselines
from core.legend.values import (
    CHOICES,
    label_of,
    letters,
    named,
    setting,
    spoken,
    wording,
)

__all__ = [
    "BASELINES", "CHOICES", "SCORES", "Score", "baselines", "label_of", "letters", "named",
    "setting", "spoken", "wording",
]  # fmt: skip
