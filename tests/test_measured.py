"""A decoder from its file to the page: kept under a digest, read back whole, shown in numbers."""

import errno
import json
import os
import time

import numpy as np
import pytest
from shell import told
from streamlit.testing.v1 import AppTest
from test_entropy import BROKEN, SCALES, constant, turned

from core import entropy
from core.command import link
from core.decoders import measurement
from core.decoders.measurement import Measurement, Shelf
from core.decoders.ruler import of_covariance, ruler
from core.entropy import NORMAL
from core.kept.folder import STALE_SECONDS, Damaged
from ui import sheet

MTC = 0.645541  # of the map below: log of its scales' mean square over their product, turned
ABSENT = "0" * 64


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The shelf of a store of its own, which the shell and the pages share."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "store"))
    return Shelf()


@pytest.fixture
def file(tmp_path):
    """A linear map of the plane, in ten samples."""
    np.save(tmp_path / "j.npy", constant(np.diag(SCALES) @ turned(30), 10))
    return tmp_path / "j.npy"


def measured(capsys, *arguments):
    """What `measure --json` says, and on stderr."""
    status, out, err = told(capsys, "measure", *map(str, arguments), "--json")
    assert status == 0
    return json.loads(out), err


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def random(n=20, high=9, low=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, high, low))


def of(j, name="j.npy"):
    return Measurement(name, "2026-01-02", entropy.read(j), ruler(j))


# --- kept, and read back ----------------------------------------------------------------------


def test_a_file_is_measured_kept_and_read_back_as_its_closed_form_has_it(shelf, file, capsys):
    found, err = measured(capsys, file)
    assert err == "" and names(shelf.files.path) == [f"{found['digest']}.npz"]
    kept = shelf.get(found["digest"])
    assert (kept.name, kept.reading.samples, kept.reading.dimensions) == ("j.npy", 10, (2, 2))
    assert kept.reading.total_correlation.value == pytest.approx(MTC, abs=1e-5)
    assert kept.reading.pairs[0, 1] == pytest.approx(MTC, abs=1e-5)
    assert kept.reading.entropy.value == pytest.approx(2 * NORMAL, abs=1e-12)  # |det| = 1
    np.testing.assert_allclose(kept.ruler.spectrum, NORMAL + np.log(SCALES), atol=1e-12)
    assert found["linear_spectrum_nats"] == kept.ruler.spectrum.tolist()
    assert kept.ruler.marks["PCA"].value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shape", [(20, 9, 5), (3, 4, 1), (4, 6, 6)], ids=str)
def test_what_is_kept_is_what_was_measured(shelf, shape):
    was = of(random(*shape))
    now = shelf.get(shelf.put(was))
    assert (now.name, now.day, now.ruler.marks) == (was.name, was.day, was.ruler.marks)
    np.testing.assert_array_equal(now.ruler.spectrum, was.ruler.spectrum)
    for name in ("samples", "dimensions", "entropy", "total_correlation"):
        assert getattr(now.reading, name) == getattr(was.reading, name)
    for name in ("spectrum", "spectrum_error"):
        np.testing.assert_array_equal(getattr(now.reading, name), getattr(was.reading, name))
    for name in ("pairs", "pairs_error"):  # in single precision
        np.testing.assert_allclose(getattr(now.reading, name), getattr(was.reading, name), 1e-6)


def test_the_digest_is_of_the_numbers_and_not_of_the_files_name_or_day(shelf, file, capsys):
    (first, _), (again, _) = measured(capsys, file), measured(capsys, file)
    other = file.rename(file.with_name("other.npy"))
    third, _ = measured(capsys, other)
    assert first["digest"] == again["digest"] == third["digest"]
    assert shelf.get(first["digest"]).name == "other.npy" and len(names(shelf.files.path)) == 1
    np.save(other, 1.5 * np.load(other))
    assert measured(capsys, other)[0]["digest"] != first["digest"]


def test_the_link_leads_to_the_page_of_this_server(shelf, file, capsys, monkeypatch):
    found, _ = measured(capsys, file)
    query = f"manifold_entropy?measured={found['digest']}"
    assert found["link"] == f"http://localhost:8501/{query}"
    _, out, _ = told(capsys, "measure", str(file))
    assert out.splitlines()[-1].endswith(found["link"])
    monkeypatch.setenv("STREAMLIT_SERVER_PORT", "8600")
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "/explorer/")
    assert link("manifold_entropy", measured="a b") == (
        "http://localhost:8600/explorer/manifold_entropy?measured=a+b"
    )


def test_the_rulers_spectrum_is_that_of_principal_components():
    j = random(1, 7, 4) * [9, 3, 1, 0.3] + 0.1 * random(30, 7, 4, 1)
    covariance = np.einsum("nij,nkj->ik", j, j) / len(j)
    expected = NORMAL + 0.5 * np.log(np.linalg.eigvalsh(covariance)[::-1][:4])
    found = ruler(j)
    np.testing.assert_allclose(found.spectrum, expected, atol=1e-10)
    assert list(found.marks) == ["PCA", "random rotation"]
    assert 0 == pytest.approx(found.marks["PCA"].value, abs=1e-10)
    assert found.marks["random rotation"].value > 0.1


def test_a_covariance_too_large_for_a_matrix_has_the_same_ruler(monkeypatch):
    j = random(1, 60, 5) * [9, 3, 1, 0.3, 0.3] + 0.1 * random(12, 60, 5, 1)
    dense = ruler(j)
    monkeypatch.setattr("core.decoders.ruler.DENSE", 20)
    other, again = ruler(j), ruler(j)
    np.testing.assert_allclose(other.spectrum, dense.spectrum, atol=1e-10)
    for name, mark in dense.marks.items():
        assert other.marks[name].value == pytest.approx(mark.value, abs=1e-10)
    assert other.marks == again.marks and (other.spectrum == again.spectrum).all()
    flat = np.broadcast_to(np.eye(60)[:, :5], (3, 60, 5))  # whose eigenvalues are all the same
    np.testing.assert_allclose(ruler(flat).spectrum, NORMAL, atol=1e-10)


# --- nothing is kept --------------------------------------------------------------------------


@pytest.mark.parametrize(("array", "words"), BROKEN.values(), ids=BROKEN)
def test_of_what_cannot_be_measured_nothing_is_kept(shelf, array, words, tmp_path, capsys):
    np.save(tmp_path / "j.npy", array)
    status, out, err = told(capsys, "measure", str(tmp_path / "j.npy"))
    assert (status, out) == (2, "") and words in err and not shelf.files.path.exists()


def test_a_store_that_cannot_be_written_is_said_and_the_numbers_are_printed(
    shelf, file, tmp_path, capsys
):
    (tmp_path / "store").write_text("in the way")
    status, out, err = told(capsys, "measure", str(file))
    assert status == 0 and "total correlation  0.646" in out and "http" not in out
    assert err.count("\n") == 1 and err.startswith("not kept") and "cannot be written" in err
    found, _ = measured(capsys, file)
    assert (found["digest"], found["link"]) == (None, None)
    assert found["mtc_nats"]["value"] == pytest.approx(MTC, abs=1e-5)


def test_a_disk_that_does_not_take_it_is_said_and_nothing_is_left(shelf, file, capsys, monkeypatch):
    def refuse(*args):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("core.kept.folder.os.replace", refuse)
    found, err = measured(capsys, file)
    assert "Read-only file system" in err and found["link"] is None
    assert names(shelf.files.path) == []


def test_more_latents_than_are_kept_are_printed_all_the_same(shelf, file, capsys, monkeypatch):
    monkeypatch.setattr(measurement, "MOST_LATENTS", 1)
    found, err = measured(capsys, file)
    assert "2 latents are more than the 1 that are kept" in err and found["link"] is None


# --- damage -----------------------------------------------------------------------------------


def rewritten(path, change):
    """The same file after `change` of its meta document and arrays."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    told_of = json.loads(arrays.pop("meta").tobytes())
    change(told_of, arrays)
    meta = np.frombuffer(json.dumps(told_of).encode(), np.uint8)
    numbers = told_of.get("numbers", {})
    stays = path.with_name(f"{measurement._digest(numbers, arrays)}.npz")  # a digest that is right
    with open(stays, "wb") as file:
        np.savez(file, meta=meta, **arrays)
    return stays.stem


CRAFTED = {
    "another format": lambda t, a: t["numbers"].update(format=0),
    "more latents than dimensions": lambda t, a: t["numbers"].update(dimensions=[4, 5]),
    "latents that are no number": lambda t, a: t["numbers"].update(dimensions=[9, "5"]),
    "one sample": lambda t, a: t["numbers"].update(samples=1),
    "another shape": lambda t, a: a.update(spectrum=a["spectrum"][:-1]),
    "another array": lambda t, a: a.update(more=np.ones(2)),
    "no pairs": lambda t, a: a.pop("pairs"),
    "not finite": lambda t, a: a["pairs"].__setitem__(0, np.nan),
    "words in an array": lambda t, a: a.update(ruler=np.array(list("abcde"))),
    "an unheard mark": lambda t, a: t["numbers"]["marks"].update(mine=[0.0, 0.0]),
    "an estimate of words": lambda t, a: t["numbers"].update(entropy=["a", "b"]),
    "an infinite estimate": lambda t, a: t["numbers"].update(entropy=[1e999, 0.0]),
    "a long name": lambda t, a: t.update(name=99 * "x"),
    "a day that is none": lambda t, a: t.update(day="<b>today</b>"),
    "no numbers": lambda t, a: t.pop("numbers"),
}  # fmt: skip


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED)
def test_a_file_that_holds_something_else_is_damaged_however_right_its_digest(shelf, change):
    key = shelf.put(of(random()))
    digest = rewritten(shelf.files.path / f"{key}.npz", change)
    with pytest.raises(Damaged):
        shelf.get(digest)


def test_numbers_that_were_changed_are_noticed(shelf):
    key = shelf.put(of(random()))
    path = shelf.files.path / f"{key}.npz"
    other = rewritten(path, lambda t, a: t["numbers"].update(samples=21))
    (shelf.files.path / f"{other}.npz").replace(path)
    with pytest.raises(Damaged, match="not those that were written"):
        shelf.get(key)


DAMAGE = {
    "empty": lambda p: p.write_bytes(b""),
    "cut in half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "words": lambda p: p.write_text("no archive"),
    "a plain array": lambda p: np.save(p.open("wb"), np.ones(3)),
    "objects": lambda p: np.savez(p.open("wb"), meta=np.array([{}], dtype=object)),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
}  # fmt: skip


@pytest.mark.parametrize("spoil", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_left_out_of_the_list_and_measured_again(shelf, spoil, file, capsys):
    found, _ = measured(capsys, file)
    whole = shelf.put(of(random()))
    spoil(shelf.files.path / f"{found['digest']}.npz")
    with pytest.raises(Damaged):
        shelf.get(found["digest"])
    assert [label.digest for label in shelf.newest(9)] == [whole]


@pytest.mark.parametrize("text", ["", "abc", ABSENT[:-1], "../../../etc/passwd", 64 * "G", "A" * 64,
                                  ABSENT + "\n"])  # fmt: skip
def test_a_key_is_a_digest_or_nothing(shelf, text):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        shelf.get(text)
    assert shelf.get(ABSENT) is None and shelf.newest(9) == []


# --- room -------------------------------------------------------------------------------------


def test_the_newest_come_first_and_the_oldest_make_room(shelf):
    keys = [shelf.put(of(random(seed=seed), f"{seed}.npy")) for seed in range(4)]
    for age, key in enumerate(keys):  # the first is the newest
        when = time.time() - 100 * age - 10
        os.utime(shelf.files.path / f"{key}.npz", (when, when))
    assert [label.digest for label in shelf.newest(3)] == keys[:3]
    assert [label.name for label in shelf.newest(9)] == [f"{i}.npy" for i in range(4)]
    size = (shelf.files.path / f"{keys[0]}.npz").stat().st_size
    last = Shelf(size_cap=3 * size + size // 2).put(of(random(seed=9)))
    assert [label.digest for label in shelf.newest(9)] == [last, *keys[:2]]


def test_what_killed_writers_left_is_swept(shelf):
    shelf.put(of(random()))
    old = shelf.files.path / ".tmp-old"
    old.write_text("x")
    past = time.time() - STALE_SECONDS - 60
    os.utime(old, (past, past))
    assert len(shelf.newest(9)) == 1 and not old.exists()


# --- the page ---------------------------------------------------------------------------------


def page():
    """A page of nothing but the part."""
    import streamlit as st

    from ui import story
    from ui.entropic import measured
    from ui.window import address

    part = measured.part()
    address.declare(*part.settings)
    address.sync()
    st.title(part.title)
    part.show(None)
    story.refused(address.refusals())  # as an article does for every part


def opened(**link):
    at = AppTest.from_function(page, default_timeout=60)
    at.query_params.update(link)
    return at.run()


def words(at):
    return " ".join(each.value for each in (*at.markdown, *at.caption, *at.warning))


def test_without_a_measurement_the_page_says_how_one_is_made(shelf):
    at = opened()
    assert not at.exception and not at.warning and not at.button
    assert [code.language for code in at.code] == ["python", "bash"]
    assert at.code[1].value == "python -m core measure jacobians.npy"


def test_the_lines_on_the_page_make_a_file_that_can_be_measured(
    shelf, tmp_path, capsys, monkeypatch
):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    decoder = torch.nn.Sequential(
        torch.nn.Linear(10, 12), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(12, 784),
        torch.nn.Unflatten(1, (1, 28, 28)),
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    lines = opened().code[0].value.replace("1000", "20")
    exec(lines, {"decoder": decoder, "torch": torch, "numpy": np})
    found, _ = measured(capsys, "jacobians.npy")
    assert (found["samples"], found["D"], found["d"]) == (20, 784, 10)
    assert found["mtc_nats"]["value"] > 0 and shelf.get(found["digest"]) is not None


def test_a_link_shows_the_numbers_of_the_closed_form(shelf, file, capsys):
    found, _ = measured(capsys, file)
    sheet.forget()
    at = opened(measured=found["digest"])
    assert not at.exception and not at.warning
    shown = {metric.label: (metric.value, metric.delta) for metric in at.metric}
    assert shown == {
        "Total correlation, nats": (f"{MTC:.3f}", "± 0.000"),
        "Total correlation a latent": (f"{MTC / 2:.3f}", "2 in all"),
        "Entropy, nats": (f"{2 * NORMAL:.2f}", "± 0.000"),
    }
    (table,) = at.dataframe
    assert table.value.to_dict() == {
        "0 and 1": {"pairs that share most, nats": f"{MTC:.3f}", "standard error": "± 0.000"}
    }
    assert "`j.npy`: 10 samples of 2 latents in 2 dimensions" in words(at)
    drawn = {each.key: each.table for each in sheet._kept().values()}
    assert len(at.get("vega_lite_chart")) == 3
    spectrum, nats = drawn["measured_spectrum"], "Manifold entropy, nats"
    pca = spectrum[spectrum["Decoder"] == "PCA"]
    np.testing.assert_allclose(pca[nats], NORMAL + np.log(SCALES), atol=1e-12)
    own = NORMAL + np.log(np.linalg.norm(np.diag(SCALES) @ turned(30), axis=0))
    np.testing.assert_allclose(spectrum[spectrum["Decoder"] != "PCA"][nats], own, atol=1e-12)
    pair = drawn["measured_pairs"]["Mutual information, nats"]
    assert pair.tolist() == [pytest.approx(MTC, abs=1e-5)]
    ruled = dict(drawn["measured_ruler"][["Decoder", "Total correlation, nats"]].to_numpy())
    assert list(ruled) == ["this decoder", "PCA", "Cholesky", "random rotation"]
    assert ruled["this decoder"] == pytest.approx(MTC, abs=1e-5)
    assert ruled["PCA"] == ruled["Cholesky"] == pytest.approx(0, abs=1e-12)


def test_one_latent_has_no_pairs(shelf):
    at = opened(measured=shelf.put(of(random(5, 4, 1))))
    assert not at.exception and not at.dataframe and "nothing to share" in words(at)


def test_what_is_kept_is_listed_and_opened_and_left_again(shelf):
    one = shelf.put(of(random(seed=0), "one.npy"))
    shelf.put(of(random(seed=1), "*a* [b](http://c) `d`\n<b>.npy"))
    os.utime(shelf.files.path / f"{one}.npz", (1, 1))
    at = opened()
    first, second = at.button
    assert first.label.startswith("`*a* [b](http://c) 'd' <b>.npy`: 5 latents in 9 dimensions")
    at = second.click().run()
    assert at.query_params["measured"] == one and len(at.metric) == 3
    (leave,) = [button for button in at.button if button.label == "All measurements"]
    at = leave.click().run()
    assert "measured" not in at.query_params and len(at.button) == 2 and not at.exception


@pytest.mark.parametrize(
    ("text", "said"),
    [(ABSENT, "No measurement `000000000000` is kept here"),
     ("../../secret", "named by 64 hexadecimal digits (not `../../secret`)"),
     ("<b>`x`</b>", "(not `<b>'x'</b>`)")],
)  # fmt: skip
def test_a_link_to_nothing_is_said(shelf, text, said):
    at = opened(measured=text)
    assert not at.exception and [said in warning.value for warning in at.warning] == [True]
    assert len(at.code) == 2


def test_a_link_to_a_damaged_file_is_said(shelf):
    key = shelf.put(of(random()))
    (shelf.files.path / f"{key}.npz").write_bytes(b"rubbish")
    at = opened(measured=key)
    assert not at.exception and "its file is damaged" in at.warning[0].value
    assert len(at.code) == 2 and not at.button


def test_the_ruler_of_a_covariance_is_that_of_its_linear_decoder():
    a = np.array([[2.0, 0.0], [0.9, 0.5]])
    marks = of_covariance(a @ a.T)
    same = ruler(np.stack([a, a])).marks
    assert marks.keys() == same.keys() == {"PCA", "Cholesky", "random rotation"}
    for name, mark in marks.items():
        assert mark.value == pytest.approx(same[name].value, abs=1e-9)
    assert marks["PCA"].value == pytest.approx(0, abs=1e-9) and marks["Cholesky"].value > 0.01
