"""How many seeds there are behind what texts say of shipped runs, and how small they are kept."""

from core import curate
from core.lessons import LESSONS
from core.lessons.laplace_violation import BOTH_STARTS
from core.lessons.nonlinear import METHODS, STAGES
from core.lessons.vmf_clusters import CASES, FIVE
from core.run.experiment import Experiment
from core.scenarios.scenario import FURTHER, OPENED

RESTS = (*OPENED, *FURTHER)
DEAR = {
    ("vmf_clusters", "ten"),
    ("manifold_entropy", "torus"),
    ("pixels", "scene-seven"),
}  # presets of costly runs


def test_what_texts_say_of_runs_rests_on_five_seeds():
    held = curate.shipped()
    asked = [
        (page, preset.params)
        for page, lesson in LESSONS.items()
        for preset in lesson.presets
        if (page, preset.name) not in DEAR
    ]
    asked += [("laplace_violation", setting) for setting in BOTH_STARTS.values()]
    asked += [("nonlinear", setting) for setting in (*METHODS.values(), *STAGES.values())]
    asked += [("vmf_clusters", {**FIVE, "kappa": 50.0, "case": case}) for case in CASES]
    for page, setting in asked:
        lesson = LESSONS[page]
        params = lesson.Params.model_validate(dict(setting))
        for member in Experiment(params, lesson.name, RESTS).members:
            assert member.key in held, (page, setting, member.seed)


def test_further_seeds_are_shipped_small():
    """Scores and a last frame: only the seeds that a page opens with can be played."""
    held = curate.shipped()
    for lesson in LESSONS.values():
        for preset in lesson.presets:
            params = lesson.Params.model_validate(dict(preset.params))
            for member in Experiment(params, lesson.name, preset.every_seed).members:
                drawn = member.seed in preset.seeds
                assert drawn <= (held[member.key].frames == lesson.frames)


def test_the_gallery_keeps_within_its_size():
    sizes = curate.bill()
    assert curate.SIZE_LIMIT == 30_000_000 and curate.PAGE_LIMIT == 3_500_000
    assert set(sizes) == {
        "records.parquet",
        *(f"{page}.frames" for page in (*LESSONS, curate.PAPERS)),
    }
    assert sum(sizes.values()) <= curate.SIZE_LIMIT
    assert max(sizes.values()) <= curate.PAGE_LIMIT
