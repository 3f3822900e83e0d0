"""The simulated class: what it asks for, and that more workers shorten its waits."""

import pytest

from core.bench.classroom import Lesson, requests, simulate
from core.run.bounds import Bounds

# Trainings last long beside what a busy machine needs to hand them out.
EVERYBODY = Lesson(claims=1, pause=0, burst=1, shipped=0, alike=0, training=10)


def test_a_class_asks_for_what_the_lesson_says():
    lesson = Lesson()
    asked = requests(lesson, 2000)
    assert asked == requests(lesson, 2000) != requests(lesson, 2000, seed=1)
    assert [each.at for each in asked] == sorted(each.at for each in asked)
    assert len(asked) == pytest.approx(lesson.claims * 2000 * (1 - lesson.shipped), rel=0.1)
    span = lesson.named + 2000
    named = [each for each in asked if each.seed % span < lesson.named]
    assert len(named) == pytest.approx(lesson.claims * 2000 * lesson.alike, rel=0.1)
    assert len({each.seed for each in named}) == lesson.claims * lesson.named
    own = [each for each in asked if each.seed % span >= lesson.named]
    assert len({each.seed for each in own}) == len(own)
    for claim in range(lesson.claims):
        begins = lesson.pause * claim
        assert any(begins <= each.at <= begins + lesson.burst for each in asked)


def test_more_workers_shorten_the_wait():
    one, four = (simulate(workers, 8, EVERYBODY) for workers in (1, 4))
    assert one["requests"] == four["requests"] == 8 and one["refused, share"] == 0
    assert one["wait s, 95 %"] > 2 * four["wait s, 95 %"] > 0
    # the last of eight waits for seven before it
    assert one["wait s, 95 %"] > 0.8 * 0.95 * 7 * EVERYBODY.training


def test_what_everybody_is_told_is_trained_once_and_the_queue_is_bounded():
    told = Lesson(claims=1, pause=0, burst=1, shipped=0, alike=1, named=1, training=3)
    together = simulate(1, 60, told)
    assert together["trainings at most"] == 1 and together["refused, share"] == 0
    few = Bounds(most_queued=3)
    apart = simulate(1, 20, EVERYBODY, few)
    assert apart["trainings at most"] == 20
    assert 20 - few.most_queued - 6 <= round(20 * apart["refused, share"]) <= 20 - few.most_queued
