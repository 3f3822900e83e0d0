"""One panel for every page: show what is stored, train what is not, stream, cancel, come back."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import streamlit as st
from streamlit import runtime

from core.command import command
from core.run.bounds import Bounds, Refused, absent
from core.run.experiment import Experiment, Member, Record, Result, beside
from core.run.job import Job, Live, Snapshot
from core.run.store import Store
from ui import wording
from ui.window import address, door, turns

BY_ITSELF_SECONDS = 3.0  # below this a run starts without being asked
POLL_SECONDS = 0.25
SWEEP_SECONDS = 1.0  # whose dots come one by one, and not step by step
QUEUE_SECONDS = 2.0  # while others' runs come first, and nothing but their number changes
FIRST_FRAME_SECONDS = 0.3
PLAYED = "run"  # the panel whose picture plays; a sweep's points need no trajectory


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw: finished members, members in training, or the run before."""

    experiment: Experiment
    results: Mapping[str, Result]  # by member key; of a sweep only their records
    live: dict[str, Live]  # by member key, while training
    step: int = 0
    steps: int = 0
    stale: bool = False  # another run is wanted and has nothing to show yet

    def seed(self, wanted: int) -> int:
        """A seed that is among these runs: the run before may have had fewer."""
        seeds = self.experiment.seeds
        return wanted if wanted in seeds else seeds[0]

    def result(self, seed: int) -> Result | None:
        """The finished run of one seed."""
        return self.results.get(self.key(seed))

    def in_training(self, seed: int) -> Live | None:
        """The run of one seed while it trains."""
        return self.live.get(self.key(seed))

    def key(self, seed: int) -> str:
        """The key of the member with this seed, empty when there is none."""
        return next((m.key for m in self.experiment.members if m.seed == seed), "")


Run = TypeVar("Run", Record, Result)
Draw = Callable[[Shown], None]
Read = Callable[[Iterable[Member]], Mapping[str, Result | Record]]


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The server's store, with the shipped gallery behind it."""
    return Store()


@st.cache_resource(show_spinner=False)
def engine() -> "Engine":  # noqa: F821  (its module is heavy: imported when first needed)
    """The server's engine, started on first use; its workers outlive no server."""
    from core.run.engine import Engine

    return Engine(store(), bounds=bounds())


@st.cache_resource(show_spinner=False)
def bounds() -> Bounds:
    """What this server lets its visitors ask for."""
    return Bounds.of_environment()


def warm_up() -> None:
    """Start the engine in the background, once: when the server is well, or has drawn a page."""
    if bounds().train and _warming.acquire(blocking=False):
        threading.Thread(target=_begin, name="engine-start", daemon=True).start()


def _begin() -> None:
    """Start the engine and, once its workers are there, say in a server's log what trains."""
    here = engine()
    while here.trainers == "starting":
        time.sleep(0.5)
    if here.trainers == "ready" and runtime.exists():  # a page under test has no log to say it in
        print(f"  Trains on: {here.device()}\n", flush=True)


_warming = threading.Lock()  # taken for good


def stored(members: Iterable[Member]) -> dict[str, Result]:
    """The stored results of these members, by key, their supervised twins' scores beside."""
    found = ((member.key, store().get(member)) for member in members)
    return {key: beside_twin(result) for key, result in found if result is not None}


def records(members: Iterable[Member]) -> dict[str, Record]:
    """The scores of these members as far as they are stored, by key, their twins' beside."""
    found = ((member.key, store().record(member)) for member in members)
    return {key: beside_twin(record) for key, record in found if record is not None}


def beside_twin(run: Run) -> Run:
    """The run with its supervised twin's scores as a baseline, where that is stored.

    (Scores alone are read of it: in memory, or the head of a file.)
    """
    twin = run.member.supervised_twin
    record = None if twin is None else store().record(twin)
    return run if record is None else replace(run, scores=beside(run.scores, record.scores))


def panel(
    experiment: Experiment,
    draw: Draw,
    name: str,
    before: Experiment | None = None,
    about: str = "this setting",
    read: Read = stored,
    row: st.delta_generator.DeltaGenerator | None = None,
) -> Mapping[str, Result]:
    """Draw the experiment: stored at once, else trained (by itself when quick) and streamed.

    `draw` is called with what there is, several times a second while it trains; with nothing yet,
    with the last experiment seen here, at first `before`, marked stale. `about` says in words what
    would be trained, `read` takes what is stored, `row` has room for what is said of the run.
    Gives the finished results, empty until all are there.
    """
    key = address.owned(name)
    if before is not None:
        st.session_state.setdefault(f"{key}.before", before)
    _settle(experiment, key)
    results = read(experiment.members)
    complete = len(results) == len(experiment.members)
    wanted = [m for m in experiment.members if m.key not in results]
    still = [m for m in experiment.members if m.key in results and not results[m.key].playable]
    unplayed = still if name == PLAYED else []
    # one height, whatever it says: the picture below stays where it is
    with (row or st).container(
        horizontal=True, vertical_alignment="center", key=f"{key}.training_row"
    ):
        job = _job_for(experiment, key, wanted, unplayed)
        _say(experiment, key, job, about_saving=name == PLAYED)
        if job is None and wanted:
            _offer(experiment, wanted, key, about)
        elif job is None and unplayed and bounds().train:
            _begin_button("Train to play it", experiment, key, playable=True)
        elif name == PLAYED and complete and (job is None or not job.asked):
            if not address.presenting():  # to a room, every line counts
                st.caption(wording.provenance(list(results.values())))
    if job is not None:
        looks = itertools.count()
        meanwhile = Shown(experiment, results, {}) if complete and not job.asked else None
        queued = job.snapshot(_viewer()).position > 0
        pace = POLL_SECONDS if read is stored else SWEEP_SECONDS
        _fragment(key, QUEUE_SECONDS if queued else pace)(
            lambda: _watch(job, experiment, draw, key, next(looks) == 0, meanwhile, read, queued),
            key,
        )
    elif complete:
        st.session_state[f"{key}.before"] = experiment
        _fragment(key, None)(lambda: _still(Shown(experiment, results, {}), draw), key)
    else:
        _fragment(key, None)(lambda: _still(_before(key, read), draw), key)
    return results if complete else {}


def rerun_page() -> None:
    """From a callback inside a panel: the whole page is to be drawn again, not the panel alone."""
    st.session_state["rerun_page"] = True


def _panel_body(body: Callable[[], None], key: str) -> None:
    if st.session_state.pop("rerun_page", False):
        st.rerun()
    job: Job | None = st.session_state.get(f"{key}.job")
    if job is not None:
        job.join(_viewer())  # who waits for a turn has not gone
    with turns.taken(), door.closed_to_tracebacks(key):
        body()
        address.sync()


def _fragment(key: str, every: float | None) -> Callable[[Callable[[], None], str], None]:
    """The same place on the page, polled `every` so many seconds while something runs."""
    return st.fragment(_panel_body, run_every=every, key=f"{key}.panel")


def _settle(experiment: Experiment, key: str) -> None:
    """Take leave of the job that this panel holds, where it has ended or is of another setting."""
    state = st.session_state
    if state.get(f"{key}.said", ("",))[0] != experiment.key:
        state.pop(f"{key}.said", None)
    held: Job | None = state.get(f"{key}.job")
    if held is not None and held.key != experiment.key:
        _put_aside(held, key)
        held = None
    aside: Job | None = state.get(f"{key}.aside")
    if held is None and aside is not None and aside.key == experiment.key:
        held = state[f"{key}.job"] = state.pop(f"{key}.aside")
    if held is not None and held.ended.is_set():
        st.session_state.pop(f"{key}.job")
        stopped = held.status == "cancelled" and held.error is not None  # with nobody looking
        if held.status != "done":  # lest it starts and is stopped for ever where pages are slow
            st.session_state[f"{key}.declined"] = experiment.key
        if held.status == "failed":
            st.session_state[f"{key}.error"] = (experiment.key, held.error)
        elif stopped:
            st.session_state[f"{key}.said"] = (experiment.key, f"This run was {held.error}.")
        elif held.status == "done" and held.missed(_viewer()):
            said = (experiment.key, "This run finished while you were away.")
            st.session_state[f"{key}.said"] = said


def _job_for(
    experiment: Experiment, key: str, wanted: Sequence[Member], unplayed: Sequence[Member]
) -> Job | None:
    """The job under way for this experiment: ours, another visitor's, or a quick one just begun.

    `wanted` members are not stored, `unplayed` ones without what the panel plays.
    """
    held: Job | None = st.session_state.get(f"{key}.job")
    if held is not None or not (wanted or unplayed) or not bounds().train:
        return held
    if st.session_state.get(f"{key}.declined") == experiment.key:
        return None  # who cancelled does not join those who go on waiting for the same
    job = engine().find(experiment, _viewer())
    if job is None and _quick([*wanted, *unplayed]):
        if not wanted:  # tried once: what comes out is then what there is
            st.session_state[f"{key}.declined"] = experiment.key
        job = _submit(experiment, key, playable=bool(unplayed))
    elif job is None and wanted and _quick(wanted):
        job = _submit(experiment, key)
    st.session_state[f"{key}.job"] = job
    return job


def _quick(members: Sequence[Member]) -> bool:
    """Whether these are trained without being asked for: by the setting, not by how busy it is."""
    seconds = engine().usual(members)
    return seconds is not None and seconds < BY_ITSELF_SECONDS


def _submit(
    experiment: Experiment, key: str, playable: bool = False, asked: bool = False
) -> Job | None:
    aside: Job | None = st.session_state.pop(f"{key}.aside", None)
    if aside is not None and aside.key != experiment.key:  # one at a time: this one shall not wait
        aside.cancel(_viewer())
    try:
        job = engine().submit(experiment, _viewer(), playable, asked)
    except Refused as reason:  # an error only where somebody has asked: else a button offers it
        name = f"{key}.error" if asked else f"{key}.said"
        st.session_state[name] = (experiment.key, str(reason) if asked else f"{reason}.")
        return None
    st.session_state.pop(f"{key}.said", None)
    return job


def _put_aside(job: Job, key: str) -> None:
    """Look no longer at a job of another setting: one that was asked for goes on for a while."""
    earlier: Job | None = st.session_state.pop(f"{key}.aside", None)
    if earlier is not None:
        earlier.cancel(_viewer())
    if job.asked:
        st.session_state[f"{key}.aside"] = st.session_state.pop(f"{key}.job")
    else:
        _let_go(key)


def _let_go(key: str) -> None:
    """Stop waiting for the job that this page asked for, if any."""
    job: Job | None = st.session_state.pop(f"{key}.job", None)
    if job is not None:
        job.cancel(_viewer())


def _viewer() -> str:
    return st.session_state.setdefault("viewer", uuid.uuid4().hex)


def _say(experiment: Experiment, key: str, job: Job | None, about_saving: bool) -> None:
    """What became of the run that was left here, and whether its results are saved."""
    about, sentence = st.session_state.get(f"{key}.error", ("", ""))
    if about == experiment.key and job is None:
        st.error(sentence, icon=":material/error:")
    about, sentence = st.session_state.get(f"{key}.said", ("", ""))
    if about == experiment.key:
        st.caption(f":material/history: {sentence}")
    reason = store().unsaved(experiment.members)
    if about_saving and reason is not None:
        st.caption(f":material/save: Not saved, kept while this server runs: {reason}.")


def _offer(experiment: Experiment, wanted: Sequence[Member], key: str, about: str) -> None:
    """A button that says what training costs here, and a line on what it trains.

    Where this server trains nothing, that, and how to do it oneself; where what the runs need is
    not there, that.
    """
    if reason := absent(wanted):
        with st.popover("Not found here", icon=":material/folder_off:"):
            st.caption(f"{reason}.{wording.instead(st.session_state.get(f'{key}.before'))}")
        return
    if not bounds().train:
        with st.popover("Not stored, not trained here", icon=":material/terminal:"):
            st.caption(wording.untrained(about, st.session_state.get(f"{key}.before")))
            st.code(command(experiment), language="shell", wrap_lines=True)
        return
    seconds = engine().estimate(wanted)
    cost = "" if seconds is None else f", {wording.duration(seconds)}"
    runs = f"{len(wanted)} {'run' if len(wanted) == 1 else 'runs'}"
    said = f"Not stored yet: {about}."
    fate = engine().fate(experiment)
    told = [st.session_state.get(f"{key}.{name}", ("",))[0] for name in ("error", "said")]
    if fate is not None and experiment.key not in told:
        said += f" Its last run: {fate}."
    said += wording.instead(st.session_state.get(f"{key}.before"))
    _begin_button(f"Train {runs}{cost}", experiment, key, help=said)
    st.caption(said)


def _begin_button(
    label: str, experiment: Experiment, key: str, playable: bool = False, help: str | None = None
) -> None:
    def begin() -> None:
        for name in ("declined", "error", "said"):
            st.session_state.pop(f"{key}.{name}", None)
        st.session_state[f"{key}.job"] = _submit(experiment, key, playable, asked=True)

    st.button(
        label,
        key=f"{key}.train",
        type="secondary" if playable else "primary",
        icon=":material/play_arrow:",
        on_click=begin,
        help=help,
    )


def _before(key: str, read: Read) -> Shown | None:
    """The last experiment seen here, marked stale."""
    before: Experiment | None = st.session_state.get(f"{key}.before")
    return None if before is None else Shown(before, read(before.members), {}, stale=True)


# Both below begin with one container for what is said about the run, so that the picture has the
# same place on the page in each and is never built anew.


def _still(shown: Shown | None, draw: Draw) -> None:
    """What does not move: finished runs, or the ones before."""
    st.container()
    if shown is not None:
        draw(shown)


def _watch(
    job: Job,
    experiment: Experiment,
    draw: Draw,
    key: str,
    first: bool,
    meanwhile: Shown | None,
    read: Read,
    queued: bool,
) -> None:
    """One look at a job: status line, cancel button, and the picture so far.

    Without a word, and with the picture `meanwhile`, where only the way to it is trained again.

    The `first` is part of a run of the whole page, which must come to its end even where the job
    already has: the browser would not learn what a callback has set its widgets to, and would set
    them back.
    """
    now: Snapshot = job.snapshot(_viewer())
    if not first and (job.ended.is_set() or (queued and now.position == 0)):
        st.rerun()  # the page takes leave of it, or looks more often
    if meanwhile is not None:
        _still(meanwhile, draw)
        return
    waited = time.monotonic() + FIRST_FRAME_SECONDS
    with turns.lent():  # a warm worker's first frame comes before the rest is drawn
        while not now.members and now.status in ("queued", "running") and time.monotonic() < waited:
            time.sleep(0.02)
            now = job.snapshot(_viewer())
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"{key}.status.training_row"
    ):
        _status(now, experiment, key)
    if now.members or now.results:
        done = {key: beside_twin(result) for key, result in now.results.items()}
        draw(Shown(experiment, done, now.members, now.step, now.steps))
    elif (before := _before(key, read)) is not None:
        draw(before)


def _status(now: Snapshot, experiment: Experiment, key: str) -> None:
    st.progress(now.fraction, wording.progress(now, len(experiment.members)))
    if st.button("Cancel", key=f"{key}.cancel", icon=":material/stop:"):
        _let_go(key)
        st.session_state[f"{key}.declined"] = experiment.key
        st.rerun()
