"""The language of relations: what each operator means, and how it is said."""

import pytest

from core.claims.relations import (
    by_seed,
    count,
    every,
    falling,
    high,
    low,
    mean,
    share,
    together,
    value,
)

RUNS = {"a": (1.0, 2.0, 3.0), "b": (2.0, 3.0, 4.0), "lost": (1.0, None), "none": (), "flat": (2, 2)}


@pytest.mark.parametrize(
    ("relation", "holds"),
    [
        (every("a") >= 1, True),
        (every("a") >= 1.5, False),
        (every("a") > 1, False),
        (every("a") <= 3, True),
        (every("a") < 3, False),
        (every("flat") == 2, True),
        (every("a") == 2, False),
        (mean("a") < mean("b") - 0.5, True),
        (mean("a") < mean("b") - 1, False),
        (mean("a") + 1 >= mean("b"), True),
        (mean("a") * 2 >= 4, True),
        (mean("a") / 2 <= 1, True),
        (mean("a") / 0 <= 1, False),
        (low("b") == 2, True),
        (high("a") == 3, True),
        (high("a") < low("b"), False),
        (by_seed("a") < by_seed("b"), True),
        (by_seed("b") - by_seed("a") > 0.5, True),
        (every("a") < high("b"), True),
        (abs(mean("a") - mean("b")) == 1, True),
        (share("a", value >= 2) > 0.6, True),
        (share("a", value >= 2) > 0.7, False),
        (count("a", value == 3) == 1, True),
        (count("a", abs(value) > 5) == 0, True),
        ((every("a") >= 1) & (every("b") >= 2), True),
        ((every("a") >= 1) & (every("b") >= 3), False),
        (together([every("a") >= 1, every("b") >= 2, every("a") > 9]), False),
        (falling(["b", "a"]), True),
        (falling(["a", "b"]), False),
    ],
    ids=str,
)
def test_a_relation_is_what_it_says(relation, holds):
    assert relation.holds(RUNS) is holds


@pytest.mark.parametrize("label", ["lost", "none"])
def test_a_run_without_a_value_supports_nothing(label):
    for relation in (
        every(label) >= 0, every(label) <= 9, mean(label) < 9, low(label) < 9, high(label) > 0,
        by_seed(label) < 9,
    ):  # fmt: skip
        assert relation.holds(RUNS) is False


def test_a_share_counts_the_runs_without_a_value_among_those_that_do_not_satisfy():
    assert share("lost", value >= 0).number(RUNS) == 0.5
    assert count("lost", value >= 0).number(RUNS) == 1
    assert (share("none", value >= 0) >= 0).holds(RUNS) is False


def test_runs_are_not_compared_one_by_one_with_fewer():
    with pytest.raises(ValueError, match="3 runs"):
        (by_seed("a") < by_seed("flat")).holds(RUNS)


def test_an_unknown_group_is_an_error_and_no_verdict():
    with pytest.raises(KeyError):
        (every("c") > 0).holds(RUNS)


def test_a_relation_says_itself():
    said = (every("a") >= 0.99) & (mean("a") < mean("b") - 0.05)
    assert str(said) == "every run of “a” ≥ 0.99, and the mean of “a” < the mean of “b” − 0.05"
    assert str(share("fold", value == 0) > 0.5) == "the share of “fold” that is = 0 > 0.5"
    assert str(count("a", value > 1) == 2) == "the number of “a” that is > 1 = 2"
    assert str(abs(low("a") - high("b")) < 1) == "|the lowest of “a” − the highest of “b”| < 1"
    assert str(by_seed("a") > -1) == "“a” (seed by seed) > −1"
    assert str((mean("a") + 1) / 2 < 3) == "(the mean of “a” + 1) / 2 < 3"


def test_a_relation_names_its_groups_once():
    assert ((mean("a") < mean("b")) & (low("a") > 0)).labels() == ("a", "b")
