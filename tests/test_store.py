"""Results on disk: what goes in comes out, damage never spreads, and processes share a folder."""

import errno
import io
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from shell import logged

from core.kept.folder import STALE_SECONDS, Damaged, Folder, default_folder
from core.run import archive
from core.run.experiment import Member, Result
from core.run.store import (
    FORMAT,
    MOST_RECENT,
    MOST_UNSAVED,
    Store,
    read,
    read_record,
    write,
)
from core.scenarios import SCENARIOS

ROOT = Path(__file__).parents[1]
Params = SCENARIOS["infonce"].Params


def member(seed=0, **params):
    return Member("infonce", Params(**params), seed)


def result(seed=0, points=30, **params):
    rng = np.random.default_rng(seed)
    return Result(
        member=member(seed, **params),
        scores={"linear_r2": 0.1 + seed, "degree": None, "loss": 1 / 3},
        diverged=seed == 13,
        loss_step=np.arange(1, 6, dtype=np.int32),
        loss=rng.normal(size=5).astype(np.float32),
        history_step=np.arange(4, dtype=np.int32),
        history={"linear_r2": rng.normal(size=4).astype(np.float32),
                 "degree": np.array([0, np.nan, 1, 1], np.float32)},
        frame_step=np.arange(4, dtype=np.int32),
        z=rng.normal(size=(points, 3)).astype(np.float32),
        z_hat=rng.normal(size=(4, points, 3)).astype(np.float16),
        net=np.zeros((0, 0, 3), np.float32),
        net_hat=np.zeros((4, 0, 0, 3), np.float16),
        world={"z_pos": rng.normal(size=(points, 3)).astype(np.float32), "v": np.eye(3)},
        provenance={"device": "cpu", "seconds": 1.5},
    )  # fmt: skip


def assert_same(a, b):
    for f in fields(Result):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if f.name in ("history", "world"):
            assert x.keys() == y.keys()
            pairs = [(x[name], y[name]) for name in x]
        elif isinstance(x, np.ndarray):
            pairs = [(x, y)]
        else:
            assert x == y and type(x) is type(y), f.name
            continue
        for left, right in pairs:
            assert left.dtype == right.dtype, f.name
            np.testing.assert_array_equal(left, right)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", gallery=None)


def path_of(store, who):
    return store.folder / f"{who.key}.npz"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("params", [{}, {"kappa": 3.7, "tau": 0.2, "d_x": 9, "n_train": 50}])
@pytest.mark.parametrize("seed", (0, 13))
def test_what_goes_in_comes_out(store, seed, params):
    before = result(seed, **params)
    store.put(before)
    assert store.has(before.member)
    assert_same(store.get(before.member), before)
    assert names(store.folder) == [f"{before.member.key}.npz"]


def test_an_unknown_member_is_none(store):
    store.put(result(0))
    assert store.get(member(1)) is None and not store.has(member(1))


def test_a_second_write_replaces_the_first(store):
    store.put(result(0))
    newer = replace(result(0), scores={"linear_r2": 0.5})
    store.put(newer)
    assert_same(store.get(member(0)), newer)


def test_an_equal_setting_spelt_differently_finds_the_result(store):
    store.put(result(0))
    assert store.get(member(0, spread=2.0, kappa=10)) is not None


def test_results_survive_the_store_that_wrote_them(store):
    store.put(result(0))
    assert_same(Store(store.folder, gallery=None).get(member(0)), result(0))


def test_numbers_that_json_cannot_hold_are_refused_before_a_file_appears(store):
    with pytest.raises(ValueError):
        store.put(replace(result(0), scores={"linear_r2": float("nan")}))
    assert names(store.folder) == []


def test_folder_is_the_environments_choice(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "a" / "b"))
    assert default_folder() == tmp_path / "a" / "b"
    assert Store(gallery=None).folder.is_dir()
    monkeypatch.delenv("EXPLORER_CACHE")
    assert default_folder().name == "identifiability-explorer"


# --- the gallery ------------------------------------------------------------------------------


@pytest.fixture
def gallery(tmp_path):
    folder = tmp_path / "gallery"
    folder.mkdir()
    archive.write(folder, {member(0).key: ("page", member(0))}, {member(0).key: result(0)})
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


def test_gallery_is_read_and_never_written(tmp_path, gallery):
    store = Store(tmp_path / "store", gallery)
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in gallery.iterdir()}
    assert store.has(member(0))
    assert store.get(member(0)).scores == result(0).scores
    assert names(store.folder) == []
    store.put(result(0))
    store.put(result(1))
    tiny = Store(tmp_path / "store", gallery, size_cap=0)
    tiny.put(result(2))
    after = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in gallery.iterdir()}
    assert after == before


def test_the_visitors_own_result_goes_before_the_gallerys(tmp_path, gallery):
    store = Store(tmp_path / "store", gallery)
    own = replace(result(0), scores={"linear_r2": 0.25})
    store.put(own)
    assert_same(store.get(member(0)), own)


def test_a_missing_gallery_is_an_empty_one(tmp_path):
    store = Store(tmp_path / "store", tmp_path / "nowhere")
    assert store.get(member(0)) is None and not store.has(member(0))


def test_a_damaged_own_file_lets_the_gallery_answer(tmp_path, gallery):
    store = Store(tmp_path / "store", gallery)
    path_of(store, member(0)).write_bytes(b"rubbish")
    assert store.record(member(0)).scores == store.get(member(0)).scores == result(0).scores


# --- damage -----------------------------------------------------------------------------------


class Bomb:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_file_gives_the_result_back_bit_for_bit(tmp_path):
    full = result()
    size = write(tmp_path / "a.npz", full)
    assert size == (tmp_path / "a.npz").stat().st_size
    assert_same(read(tmp_path / "a.npz"), full)
    record = read_record(tmp_path / "a.npz")
    assert record == replace(full.record, member=record.member)
    assert record.member.key == full.member.key and record.steps == 5 and record.playable


def with_meta(path, change, drop=(), extra=None):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name not in drop}
    meta = json.loads(arrays.pop("meta").tobytes()) if "meta" in arrays else {}
    meta = change(meta)
    np.savez(path, meta=np.frombuffer(json.dumps(meta).encode(), np.uint8), **arrays,
             **(extra or {}))  # fmt: skip


def without(name):
    return lambda meta: {k: v for k, v in meta.items() if k != name}


def objects(path):
    np.savez(path, meta=np.array([Bomb(path.parent / "exploded")], dtype=object))


def object_among_arrays(path):
    bomb = np.array([Bomb(path.parent / "exploded")], dtype=object)
    with_meta(path, lambda meta: meta, drop=("z",), extra={"z": bomb})


DAMAGE = {
    "empty": lambda p: p.write_bytes(b""),
    "one byte": lambda p: p.write_bytes(b"P"),
    "text": lambda p: p.write_text("nobody expects this"),
    "zeros": lambda p: p.write_bytes(bytes(p.stat().st_size)),
    "cut in half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "last byte lost": lambda p: p.write_bytes(p.read_bytes()[:-1]),
    "first byte lost": lambda p: p.write_bytes(p.read_bytes()[1:]),
    "an array in place of an archive": lambda p: p.write_bytes(array_bytes(p)),
    "a pickle in place of an archive": lambda p: p.write_bytes(
        pickle.dumps(Bomb(p.parent / "exploded"))),
    "objects in place of numbers": objects,
    "objects among the numbers": object_among_arrays,
    "an empty archive": lambda p: zipfile.ZipFile(p, "w").close(),
    "an archive of text": lambda p: zip_of(p, "meta.npy", b"not an array"),
    "another member": lambda p: write(p, result(5)),
    "another format": lambda p: with_meta(p, lambda m: {**m, "format": FORMAT + 1}),
    "no format": lambda p: with_meta(p, without("format")),
    "no scores": lambda p: with_meta(p, without("scores")),
    "meta is a list": lambda p: with_meta(p, lambda m: [m]),
    "meta is a number": lambda p: with_meta(p, lambda m: 3),
    "another key": lambda p: with_meta(p, lambda m: {**m, "key": m["key"][::-1]}),
    "an array lost": lambda p: with_meta(p, lambda m: m, drop=("z_hat",)),
    "an array too many": lambda p: with_meta(p, lambda m: m, extra={"surprise": np.ones(3)}),
    "a group unheard of": lambda p: with_meta(p, lambda m: m, extra={"odd.one": np.ones(3)}),
}  # fmt: skip


OF_WHOSE = {  # what matters only where the file alone says whose result it is
    "an unknown scenario": lambda p: with_meta(p, lambda m: {**m, "scenario": "gone"}),
    "parameters out of range": lambda p: with_meta(
        p, lambda m: {**m, "params": {**m["params"], "kappa": -1}}),
}  # fmt: skip


def array_bytes(path):
    buffer = io.BytesIO()
    np.save(buffer, np.ones(3))
    return buffer.getvalue()


def zip_of(path, name, data):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, data)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_reported_set_aside_and_counts_as_none(store, damage, caplog):
    store.put(result(0))
    path = path_of(store, member(0))
    damage(path)
    with caplog.at_level(logging.WARNING):
        assert store.get(member(0)) is None
    assert path.name in caplog.text
    assert not path.exists() and path.with_suffix(".damaged").exists()
    assert not (store.folder / "exploded").exists()
    caplog.clear()
    assert store.get(member(0)) is None and not logged(caplog, "core.run.store")  # and only once
    store.put(result(0))
    assert_same(store.get(member(0)), result(0))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_reading_a_damaged_file_raises_damaged_with_its_name(tmp_path, damage):
    path = tmp_path / f"{member(0).key}.npz"
    write(path, result(0))
    damage(path)
    with pytest.raises(Damaged, match=path.name):
        read(path, member(0))


@pytest.mark.parametrize("damage", OF_WHOSE.values(), ids=OF_WHOSE)
def test_a_file_that_says_itself_whose_it_is_must_be_somebodys(tmp_path, damage):
    write(tmp_path / "a.npz", result(0))
    damage(tmp_path / "a.npz")
    for reads in (read, read_record):
        with pytest.raises(Damaged, match=r"a\.npz"):
            reads(tmp_path / "a.npz")


def test_reading_a_missing_file_is_not_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.npz")


@pytest.fixture
def quiet(caplog):
    """Hundreds of reports of damage would drown a failure's own message."""
    with caplog.at_level(logging.CRITICAL, "core.run.store"):
        yield


@pytest.mark.filterwarnings("ignore")  # zipfile's own remarks on what it reads
@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_are_noticed_or_harmless_and_never_raise(store, seed, quiet):
    rng = np.random.default_rng(seed)
    store.put(result(0))
    path = path_of(store, member(0))
    whole = path.read_bytes()
    for _ in range(60):
        broken = bytearray(whole)
        # half of the blows to the archive's directory at the end, where they do most harm
        low = len(whole) - 1200 if rng.random() < 0.5 else 0
        for place in rng.integers(low, len(whole), rng.integers(1, 4)):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        found = store.get(member(0))
        if found is not None:  # the blow fell where nothing is read, or changed nothing
            assert_same(found, result(0))
        path.with_suffix(".damaged").unlink(missing_ok=True)


def test_two_readers_may_find_the_same_damage_at_once(store, quiet):
    path, problems = path_of(store, member(0)), []
    barrier = threading.Barrier(4)

    def look():
        for _ in range(150):
            barrier.wait(30)
            try:
                store.get(member(0))
            except Exception as error:
                problems.append(error)
            if barrier.wait(30) == 0:
                path.write_bytes(b"rubbish")

    path.write_bytes(b"rubbish")
    threads = [threading.Thread(target=look) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert problems == []


# --- size and leftovers -----------------------------------------------------------------------


def test_a_store_is_made_where_it_is_missing_whatever_its_name(tmp_path):
    made = Store(tmp_path / "not there" / "nor here, ünd this", gallery=None)
    assert made.get(member(0)) is None
    made.put(result(0))
    assert_same(Store(made.folder, gallery=None).get(member(0)), result(0))


def test_a_clock_that_is_set_back_removes_nothing(store, monkeypatch):
    store.put(result(0))
    begun = store.folder / ".tmp-begun"  # by another process, a moment ago
    begun.write_bytes(b"half")
    monkeypatch.setattr("core.kept.folder.time.time", lambda: 0.0)
    store.files.look_through()
    store.put(result(1))
    assert begun.exists()
    for seed in (0, 1):
        assert_same(store.get(member(seed)), result(seed))


def test_the_oldest_results_make_room(store):
    for age, seed in enumerate((3, 1, 2, 0)):  # 3 is the newest
        store.put(result(seed))
        when = time.time() - 100 * age
        os.utime(path_of(store, member(seed)), (when, when))
    size = path_of(store, member(0)).stat().st_size
    small = Store(store.folder, gallery=None, size_cap=3 * size + size // 2)
    small.put(result(7))
    kept = {seed for seed in (0, 1, 2, 3, 7) if small.has(member(seed))}
    assert kept == {7, 3, 1}


def test_a_folder_within_its_cap_loses_nothing(store):
    for seed in range(4):
        store.put(result(seed))
    assert all(store.has(member(seed)) for seed in range(4))


def test_a_write_does_not_look_through_the_folder(store, monkeypatch):
    looked = []
    monkeypatch.setattr(Folder, "look_through", lambda self: looked.append(self) or [])
    for seed in range(20):
        store.put(result(seed))
    assert not looked
    store.files.size_cap = 1
    store.put(result(21))
    assert looked == [store.files]


def test_what_was_just_read_is_not_read_again_until_it_changes(store):
    store.put(result(0))
    first = store.get(member(0))
    assert store.get(member(0)) is first and store.reads == 1
    assert store.record(member(0)).scores == first.scores
    store.put(replace(result(0), scores={"linear_r2": 0.5}))
    assert store.get(member(0)).scores == {"linear_r2": 0.5} and store.reads == 2
    path_of(store, member(0)).unlink()
    assert store.get(member(0)) is None and store.record(member(0)) is None
    for seed in range(MOST_RECENT + 1):
        store.put(result(seed))
        store.get(member(seed))
    reads = store.reads
    store.get(member(0))  # the longest ago
    assert store.reads == reads + 1
    with pytest.raises(ValueError, match="read-only"):
        store.get(member(0)).z[0] = 0.0


def test_the_scores_of_a_run_are_read_without_its_arrays(store):
    store.put(result(3))
    record = store.record(member(3))
    assert store.reads == 0 and record.member == member(3)
    assert (record.scores, record.steps, record.playable) == (result(3).scores, 5, True)
    assert store.get(member(3)).record == record


def test_stale_temporaries_are_swept_and_fresh_ones_kept(tmp_path):
    old, fresh, other = (tmp_path / name for name in (".tmp-old", ".tmp-new", "notes.txt"))
    for path in (old, fresh, other):
        path.write_text("x")
    past = time.time() - STALE_SECONDS - 60
    for path in (old, other):
        os.utime(path, (past, past))
    Store(tmp_path, gallery=None)
    assert names(tmp_path) == [".tmp-new", "notes.txt"]


def test_a_failed_write_leaves_nothing(tmp_path):
    target = tmp_path / "taken.npz"
    target.mkdir()
    (target / "inside").write_text("x")
    with pytest.raises(OSError):
        write(target, result(0))
    assert names(tmp_path) == ["taken.npz"]


# --- a folder that cannot be written ----------------------------------------------------------


def test_a_file_in_the_folders_place_leaves_the_gallery_readable_and_loses_no_result(
    tmp_path, gallery, caplog
):
    (tmp_path / "taken").write_text("in the way")
    store = Store(tmp_path / "taken", gallery)
    shipped, own = member(0), member(7)
    assert store.get(shipped) is not None and store.has(shipped) and store.get(own) is None
    assert store.unsaved([shipped, own]) is None
    store.put(result(7))
    assert_same(store.get(own), result(7))
    assert store.has(own)
    assert store.unsaved([shipped, own]) == f"{tmp_path / 'taken'} cannot be written (File exists)"
    (tmp_path / "taken").unlink()  # and when it can be again, the next is saved
    store.put(result(7))
    assert store.unsaved([own]) is None and Store(tmp_path / "taken", None).has(own)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("call", ["tempfile.mkstemp", "os.replace"])
def test_a_result_that_the_disk_does_not_take_is_kept_in_memory(store, monkeypatch, call, number):
    def refuse(*args, **kwargs):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(f"core.kept.folder.{call}", refuse)
    for seed in range(MOST_UNSAVED + 2):
        store.put(result(seed))
    assert os.strerror(number) in store.unsaved([member(5)])
    assert store.get(member(5)) is not None and store.get(member(0)) is None  # a small bound
    assert not names(store.folder)


def test_damage_in_a_read_only_folder_is_reported_and_counts_as_none(store, monkeypatch, caplog):
    store.put(result(0))
    (path,) = store.folder.glob("*.npz")
    path.write_bytes(b"")

    def refuse(*args):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "replace", refuse)
    assert store.get(member(0)) is None and "stays where it is" in caplog.text


def test_a_full_folder_that_makes_no_room_still_keeps_what_was_written(tmp_path, monkeypatch):
    store = Store(tmp_path, gallery=None, size_cap=1)

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    store.put(result(0))
    assert store.get(member(0)) is not None and store.unsaved([member(0)]) is None


# --- several processes ------------------------------------------------------------------------

WRITER = """
import sys; sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from core.run.store import Store
from test_store import result
store = Store(Path({folder!r}), gallery=None)
print("ready", flush=True)
n = 0
while n < {rounds}:
    store.put(result(n % 3, points=2000))
    n += 1
"""

READER = """
import sys; sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from core.run.store import Store
from test_store import assert_same, member, result
expected = [result(seed, points=2000) for seed in range(3)]
store = Store(Path({folder!r}), gallery=None)
found = 0
for n in range({rounds}):
    got = store.get(member(n % 3))
    if got is not None:
        assert_same(got, expected[n % 3])
        found += 1
print(found)
"""


def process(program, folder, rounds):
    code = program.format(
        root=str(ROOT), tests=str(ROOT / "tests"), folder=str(folder), rounds=rounds
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_nothing_unreadable(tmp_path):
    rng = np.random.default_rng(0)
    written = 0
    for _ in range(10):
        writer = process(WRITER, tmp_path, 10**9)
        assert writer.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        store = Store(tmp_path, gallery=None)
        for seed in range(3):
            if store.has(member(seed)):
                assert_same(store.get(member(seed)), result(seed, points=2000))
                written += 1
        assert not list(tmp_path.glob("*.damaged"))
    assert written > 0


@pytest.mark.slow
def test_writers_and_readers_in_many_processes_never_disturb_each_other(tmp_path):
    store = Store(tmp_path, gallery=None)
    for seed in range(3):
        store.put(result(seed, points=2000))
    crowd = [process(WRITER, tmp_path, 150) for _ in range(2)]
    crowd += [process(READER, tmp_path, 150) for _ in range(2)]
    for each in crowd:
        output, errors = each.communicate(timeout=120)
        assert each.returncode == 0 and errors == ""
        if output.strip().isdigit():
            assert int(output) == 150  # a result once stored is never missing for a moment
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".npz"] * 3


@pytest.mark.slow
def test_a_folder_at_its_cap_is_shared_without_errors(tmp_path):
    size = 10 * result(0).z.nbytes
    stores = [Store(tmp_path, gallery=None, size_cap=size) for _ in range(3)]
    problems = []

    def work(store, offset):
        try:
            for n in range(60):
                store.put(result(offset + n % 7))
                found = store.get(member(n % 7))
                assert found is None or found.member.seed == n % 7
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(store, i)) for i, store in enumerate(stores)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert problems == []


def test_whether_a_run_can_be_played_is_known_without_its_arrays(tmp_path):
    store = Store(tmp_path, gallery=None)
    whole, end = result(seed=1), result(seed=2).thinned(1, 30)
    for each in (whole, end):
        store.put(each)
    again = Store(tmp_path, gallery=None)
    assert again.record(whole.member).playable and not again.record(end.member).playable
