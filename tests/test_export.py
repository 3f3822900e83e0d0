"""Take it home: what a download is called, what it holds, and that it says so."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.legend import SCORES
from core.lessons import LESSONS
from core.run.archive import Gallery
from core.run.experiment import EVALUATED, Experiment, Result
from ui import export

SPHERE, CLUSTERS = LESSONS["infonce_sphere"], LESSONS["vmf_clusters"]


def shipped(lesson, **setting) -> list[Result]:
    params = lesson.Params(**setting)
    members = Experiment(params, lesson.name, (0, 1)).members
    return [Gallery().read(member) for member in members]


def test_columns_carry_names_in_words_and_none_of_the_ink():
    frame = pd.DataFrame({"value": ["1"], "x": [1.0], "by": ["2"], "seed": [0], "linear_r2": [0.9],
                          "raw_linear_r2": [0.8], "closed_angle_to_v_perp_deg": [1.0],
                          "colour": ["#fff"]})  # fmt: skip
    frame.attrs["names"] = {"value": "World concentration", "by": "Latent dimension"}
    assert list(export.worded(frame)) == [
        "World concentration", "Latent dimension", "seed", "Linear R²", "Linear R², raw x",
        "Angle to V⊥, closed form",
    ]  # fmt: skip
    points = pd.DataFrame({"x": [0.0], "y": [1.0], "z1": [0.1], "z_hat12": [0.2]})
    assert list(export.worded(points)) == ["x", "y", "z₁", "ẑ₁₂"]  # coordinates: to be read


@pytest.mark.parametrize("name", SCORES)
def test_no_score_is_called_by_its_name_in_the_code(name):
    assert export.column(name) == SCORES[name].title
    assert "_" not in export.column(f"raw_{name}")


def test_a_file_is_named_after_its_page_and_setting():
    for page, setting, name in (
        ("vmf_clusters", {"case": "C3", "kappa": 50.0}, "vmf-clusters_case-C3_kappa-50"),
        ("laplace_violation", {"truncation": 1.5, "conditional": "gennorm"},
         "laplace-violation_conditional-gennorm_truncation-1.5"),
        ("infonce_sphere", {}, "infonce-on-a-sphere"),
    ):  # fmt: skip
        lesson = LESSONS[page]
        assert export.file_name(lesson, lesson.Params(**setting)) == name
    moves = LESSONS["gradient_reversal"].Params(moves="ae" * 100)
    assert len(export.file_name(LESSONS["gradient_reversal"], moves)) <= export.LONGEST_NAME


def test_the_drawn_points_come_with_all_that_is_drawn_and_say_what_they_are():
    results = shipped(CLUSTERS)
    with np.load(io.BytesIO(export.latents_npz(results)), allow_pickle=False) as file:
        held = set(file.files)
        about = json.loads(str(file["about"]))
        drawn = len(file["z_0"])
    assert held >= {f"{n}_{s}" for n in ("z", "z_hat", "steps", "x", "v", "w") for s in (0, 1)}
    assert str(EVALUATED) in about["contents"] and f"first {drawn} points" in about["contents"]
    assert about["scores"]["0"]["linear_r2"] == results[0].scores["linear_r2"]


def test_every_array_of_a_download_is_the_runs_own():
    results = shipped(CLUSTERS)
    with np.load(io.BytesIO(export.latents_npz(results)), allow_pickle=False) as file:
        for result in results:
            own = {"z": result.z, "z_hat": result.z_hat, "steps": result.frame_step,
                   **result.world, **result.moving}  # fmt: skip
            for name, array in own.items():
                np.testing.assert_array_equal(file[f"{name}_{result.member.seed}"], array)
    assert not np.array_equal(results[0].z, results[1].z)


def test_the_section_names_its_downloads_and_shows_both_commands():
    def page(results, params, lesson):
        from ui import export

        export.take_home(results, params, lesson)

    lesson, results = SPHERE, shipped(SPHERE, tau=1.0)
    kwargs = {"results": results, "params": results[0].member.params, "lesson": lesson}
    at = AppTest.from_function(page, kwargs=kwargs).run()
    assert not at.exception
    run, whole = (code.value for code in at.code)
    assert run == "python -m core run infonce --tau 1 --seeds 0 1"
    assert whole == (
        "python -m core export infonce --tau 1 --seeds 0 1 --out infonce-on-a-sphere_tau-1.npz"
    )
    (caption,) = (c.value for c in at.caption)
    assert "8,192 points" in caption and f"{len(results[0].z)} points" in caption


def test_everything_is_trained_anew_by_the_command_that_is_shown():
    params = SPHERE.Params(steps=5, batch=16, width=8)
    data = export.everything_npz(Experiment(params, "infonce", (0,)))
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        assert len(file["z_0"]) == len(file["x_0"]) == EVALUATED
        assert json.loads(str(file["about"]))["scores"]["0"]["linear_r2"] is not None


def page_with_a_table():
    import pandas as pd

    from ui import export

    frame = pd.DataFrame({"value": [1.0, 2.0], "linear_r2": [0.5, 0.75]})
    export.table(frame, "name", "one.table", "what they are")


def test_the_numbers_behind_a_picture_are_there_when_they_are_asked_for():
    at = AppTest.from_function(page_with_a_table).run()
    assert not at.exception and not at.dataframe
    at.session_state["one.table"] = True  # the icon is clicked
    at.run()
    (shown,) = at.dataframe
    assert list(shown.value) == ["value", "Linear R²"]
    assert shown.value["Linear R²"].tolist() == [0.5, 0.75]
    assert [c.value for c in at.caption] == ["what they are"]
