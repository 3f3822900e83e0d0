"""One panel for every page: show what is stored, train what is not, stream, cancel, come back."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from core.experiment import Experiment, Member, Result
from core.job import Job, Live, Snapshot
from core.store import Store
from ui import address, door

BY_ITSELF_SECONDS = 3.0  # below this a run starts without being asked
POLL_SECONDS = 0.25
FIRST_FRAME_SECONDS = 0.3
PLAYED = "run"  # the panel whose picture plays; a sweep's points need no trajectory


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw: finished members, members in training, or the run before."""

    experiment: Experiment
    results: dict[str, Result]  # by member key
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


Draw = Callable[[Shown], None]


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The server's store, with the shipped gallery behind it."""
    return Store()


@st.cache_resource(show_spinner=False)
def engine() -> "Engine":  # noqa: F821  (its module is heavy: imported when first needed)
    """The server's engine, started on first use; its workers outlive no server."""
    from core.engine import Engine

    return Engine(store())


def warm_up() -> None:
    """Start the engine in the background, once, after the first page is drawn."""
    if not _warming.is_set():
        _warming.set()
        threading.Thread(target=engine, name="engine-start", daemon=True).start()


_warming = threading.Event()


def stored(members: Iterable[Member]) -> dict[str, Result]:
    """The stored results of these members, by key."""
    found = ((member.key, store().get(member)) for member in members)
    return {key: result for key, result in found if result is not None}


def panel(
    experiment: Experiment, draw: Draw, name: str, before: Experiment | None = None
) -> dict[str, Result]:
    """Draw the experiment: stored at once, else trained (by itself when quick) and streamed.

    `draw` is called with what there is, several times a second while it trains; with nothing yet,
    with the last experiment seen here, at first `before`, marked stale. Gives the finished results,
    empty until all are there.
    """
    key = address.owned(name)
    if before is not None:
        st.session_state.setdefault(f"{key}.before", before)
    results = stored(experiment.members)
    complete = len(results) == len(experiment.members)
    with st.container(horizontal=True, vertical_alignment="center"):
        job = _job_for(experiment, key, complete)
        about, sentence = st.session_state.get(f"{key}.error", ("", ""))
        if about == experiment.key and job is None:
            st.error(sentence, icon=":material/error:")
        if job is None and not complete:
            _offer(experiment, key)
        elif job is None and name == PLAYED and not all(r.playable for r in results.values()):
            _begin_button("Train again to play it", experiment, key, playable=True)
    if job is not None:
        looks = itertools.count()
        _fragment(key, running=True)(
            lambda: _watch(job, experiment, draw, key, first=next(looks) == 0), key
        )
    elif complete:
        st.session_state[f"{key}.before"] = experiment
        _fragment(key, running=False)(lambda: _still(Shown(experiment, results, {}), draw), key)
    else:
        _fragment(key, running=False)(lambda: _still(_before(key), draw), key)
    return results if complete else {}


def rerun_page() -> None:
    """From a callback inside a panel: the whole page is to be drawn again, not the panel alone."""
    st.session_state["rerun_page"] = True


def _panel_body(body: Callable[[], None], key: str) -> None:
    if st.session_state.pop("rerun_page", False):
        st.rerun()
    with door.closed_to_tracebacks(key):
        body()
        address.sync()


def _fragment(key: str, running: bool) -> Callable[[Callable[[], None], str], None]:
    """The same place on the page, polled while something runs."""
    return st.fragment(_panel_body, run_every=POLL_SECONDS if running else None, key=f"{key}.panel")


def _job_for(experiment: Experiment, key: str, complete: bool) -> Job | None:
    """The job under way for this experiment: ours, another visitor's, or a quick one just begun."""
    held: Job | None = st.session_state.get(f"{key}.job")
    if held is not None and held.key != experiment.key:
        _let_go(key)
        held = None
    if held is not None or complete:
        return held
    if st.session_state.get(f"{key}.declined") == experiment.key:
        return None  # who cancelled does not join those who go on waiting for the same
    job = engine().find(experiment, _viewer())
    if job is None:
        seconds = engine().estimate(experiment)
        if seconds is not None and seconds < BY_ITSELF_SECONDS:
            job = _submit(experiment, key)
    st.session_state[f"{key}.job"] = job
    return job


def _submit(experiment: Experiment, key: str, playable: bool = False) -> Job | None:
    from core.engine import Refused

    try:
        return engine().submit(experiment, _viewer(), playable)
    except Refused as reason:
        st.session_state[f"{key}.error"] = (experiment.key, str(reason))
        return None


def _let_go(key: str) -> None:
    """Stop waiting for the job that this page asked for, if any."""
    job: Job | None = st.session_state.pop(f"{key}.job", None)
    if job is not None:
        job.cancel(_viewer())


def _viewer() -> str:
    return st.session_state.setdefault("viewer", uuid.uuid4().hex)


def _offer(experiment: Experiment, key: str) -> None:
    """A button that says what training costs here."""
    seconds = engine().estimate(experiment)
    cost = "" if seconds is None else f", {duration(seconds)}"
    runs = len(experiment.members) - len(stored(experiment.members))
    _begin_button(f"Train {runs} {'run' if runs == 1 else 'runs'}{cost}", experiment, key)
    shown = f"{key}.before" in st.session_state
    st.caption("This setting is not stored yet." + " Below is another." * shown)


def _begin_button(label: str, experiment: Experiment, key: str, playable: bool = False) -> None:
    def begin() -> None:
        st.session_state.pop(f"{key}.declined", None)
        st.session_state.pop(f"{key}.error", None)
        st.session_state[f"{key}.job"] = _submit(experiment, key, playable)

    st.button(
        label,
        key=f"{key}.train",
        type="secondary" if playable else "primary",
        icon=":material/play_arrow:",
        on_click=begin,
    )


def _before(key: str) -> Shown | None:
    """The last experiment seen here, marked stale."""
    before: Experiment | None = st.session_state.get(f"{key}.before")
    return None if before is None else Shown(before, stored(before.members), {}, stale=True)


# Both below begin with one container for what is said about the run, so that the picture has the
# same place on the page in each and is never built anew.


def _still(shown: Shown | None, draw: Draw) -> None:
    """What does not move: finished runs, or the ones before."""
    st.container()
    if shown is not None:
        draw(shown)


def _watch(job: Job, experiment: Experiment, draw: Draw, key: str, first: bool) -> None:
    """One look at a running job: status line, cancel button, and the picture so far.

    The `first` is part of a run of the whole page, which must come to its end even where the job
    already has: the browser would not learn what a callback has set its widgets to, and would set
    them back.
    """
    now: Snapshot = job.snapshot(_viewer())
    waited = time.monotonic() + FIRST_FRAME_SECONDS
    while not now.members and now.status in ("queued", "running") and time.monotonic() < waited:
        time.sleep(0.02)  # a warm worker's first frame comes before the rest of the page is drawn
        now = job.snapshot(_viewer())
    if now.status in ("done", "failed", "cancelled") and not first:
        _let_go(key)
        if now.status != "done":
            st.session_state[f"{key}.declined"] = experiment.key
        if now.status == "failed":
            st.session_state[f"{key}.error"] = (experiment.key, now.error)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        _status(now, experiment, key)
    if now.members or now.results:
        draw(Shown(experiment, now.results, now.members, now.step, now.steps))
    elif (before := _before(key)) is not None:
        draw(before)


def _status(now: Snapshot, experiment: Experiment, key: str) -> None:
    if now.status == "queued":
        ahead = f"{now.position} ahead in the queue" if now.position else "starting a worker"
        st.progress(0.0, f"Waiting: {ahead}")
    else:
        done = f"{len(now.results)} of {len(experiment.members)} runs done"
        st.progress(now.fraction, f"Training, step {now.step} of {now.steps}; {done}")
    if st.button("Cancel", key=f"{key}.cancel", icon=":material/stop:"):
        _let_go(key)
        st.session_state[f"{key}.declined"] = experiment.key
        st.rerun()


def duration(seconds: float) -> str:
    """A cost in words, no more exact than an estimate is."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"about {round(seconds) if seconds < 10 else round(seconds, -1):.0f} s"
    return f"about {round(seconds / 60)} min"
