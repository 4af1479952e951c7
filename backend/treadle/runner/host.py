"""The host: the runs a worker owns, from when it claims or is given them until they are over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from math import inf

from treadle.errors import RunInterrupted, TreadleError
from treadle.registry.catalog import Catalog, event_types
from treadle.runner.clock import Clock
from treadle.runner.driver import Driver
from treadle.runner.failures import error_json
from treadle.runner.live import LiveRun, crashed
from treadle.runner.taking import Taking
from treadle.store import inbox
from treadle.store.catalog import publish
from treadle.store.database import Database
from treadle.store.failing import kind_of
from treadle.store.inbox import Request
from treadle.store.leases import LEASE, Claim, Claims, settle
from treadle.store.lineage import end_orphans
from treadle.store.states import Code, Recovered, recover_all
from treadle.store.writer import Writer

__all__ = ["Host", "LiveRun"]

log = logging.getLogger("treadle.host")

DOUBT = 5.0
"""Seconds after a heartbeat that could not be written: the others need as long to show that they live."""
CLAIMS = 32
"""Runs claimed at once: few enough that a burst spreads over the workers."""
SWEEP = 0.5
"""Seconds between looks at the database when nobody nudges."""
TIDY = 5.0
"""Seconds between looks at what others left behind: requests that came too late, runs whose parent is over."""


class Host:
    """Claims runs, starts or resumes them, and hands them the requests from the inbox.

    Of a workflow with `num_concurrent_runs` no more than that many runs go on at a time, counted over all workers;
    nested runs are counted for themselves, by the instance that is nested and for each worker.
    """

    def __init__(
        self,
        database: Database,
        writer: Writer,
        catalog: Catalog,
        *,
        worker: str,
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._worker = worker
        self._clock = clock = clock or Clock()
        self._driver = Driver(
            database,
            writer,
            catalog,
            worker=worker,
            clock=clock,
            lost=self._lose,
            over=self._over,
            tenure=self.tenure,
        )
        loaded = catalog.workflows
        limits = {name: item.workflow.num_concurrent_runs for name, item in loaded.items()}
        self._claims = Claims(
            database.dialect, worker, workflows=loaded,
            limits={name: most for name, most in limits.items() if most is not None},
        )  # fmt: skip
        self._taking = Taking(database, catalog, self._driver, worker=worker, clock=clock, tenure=self.tenure)
        self._resumable: deque[Claim] = deque()
        self._suspects: deque[Claim] = deque()
        self._broken: deque[tuple[Claim, BaseException]] = deque()
        self._nudged = asyncio.Event()
        self._unowned = True
        self._looked = 0.0
        self._stopping = False
        self._doubted = -DOUBT
        self._renewed: float | None = None
        self._tenure = 0

    @property
    def runs(self) -> dict[str, LiveRun]:
        """What it drives right now, by run."""
        return self._driver.by_id

    def doubt(self) -> None:
        """Take no silence for a death for a while: the database took no heartbeat of ours, nor, it seems, of others."""
        self._doubted = time.monotonic()

    def renewed(self, at: float) -> None:
        """Its leases were renewed `at` that time, by the clock that nobody sets."""
        if self._renewed is not None and at - self._renewed >= LEASE:
            self._tenure += 1  # too late for the runs it had
        self._renewed = at

    def disown(self) -> None:
        """In a copy of the worker's process: none of the runs is its own, so that it begins no step of them."""
        self._renewed = -inf

    def tenure(self) -> int | None:
        """Which time without a lapse of its leases this is; None while others may have its runs."""
        if self._renewed is not None and time.monotonic() - self._renewed >= LEASE:
            return None
        return self._tenure

    def nudge(self, *, unowned: bool = True) -> None:
        """Look at the database soon, for runs that nobody owns too, or only for what is asked of ours."""
        self._unowned |= unowned
        self._nudged.set()

    async def serve(self) -> None:
        """Work until `stop` is called."""
        tidied = 0.0
        published = False
        while not self._stopping:
            self._nudged.clear()
            try:
                if not published:
                    await asyncio.to_thread(publish, self._database, self._driver.register.unpublished())
                    published = True
                full = await self.sweep()
                if self._clock() - tidied > TIDY:
                    tidied = self._clock()
                    await self.tidy()
            except Exception as error:
                kind = kind_of(error)
                if kind == "io":
                    raise
                if kind == "other":
                    log.exception("The database could not be read; trying again.")
                full = False
            if full:
                continue
            alarm = asyncio.get_running_loop().call_later(SWEEP, self.nudge)
            await self._nudged.wait()
            alarm.cancel()

    def committed(self) -> None:
        """Entries are on disk: the next suspect may have its turn."""
        if self._suspects:
            self.nudge()

    def stop(self) -> None:
        """Stop working; runs stay where their journals are."""
        self._stopping = True
        self._nudged.set()
        self._driver.stop()

    async def sweep(self) -> bool:
        """Claim what nobody owns, then take what the inbox has for us; whether there may be more to claim."""
        while self._broken:
            await asyncio.to_thread(self._give_up, *self._broken[0])
            self._broken.popleft()
        claims = await self._claim() if self._unowned or time.monotonic() - self._looked >= SWEEP else []
        anew = {claimed.run_id for claimed in claims}
        asked = self._taking.untaken(anew) if claims or self._suspects else []
        for claimed in claims:
            if (live := self.runs.get(claimed.run_id)) is not None:
                live.loop.abandon(RunInterrupted("Its worker fell silent, and has taken it up again itself."))
            if claimed.entries:
                (self._suspects if crashed(claimed) else self._resumable).append(claimed)
        await self._resume(self._resumable, asked, most=CLAIMS)
        while self._suspects and not any(live.on_probation for live in self.runs.values()):
            # One at a time: the next crash then tells the guilty one from those that merely shared its worker.
            await self._resume(self._suspects, asked, most=1)
        if self._stopping:
            return False
        for request in self._taking.untaken():
            self._taking.take(request)
        full = len(claims) == CLAIMS
        self._unowned |= full
        return full

    async def _claim(self) -> list[Claim]:
        """Take runs over, if there are any; a thread waits for the disk."""
        self._unowned, self._looked = False, time.monotonic()
        now = self._clock.for_leases(LEASE)
        doubtful = time.monotonic() - self._doubted < DOUBT or self.tenure() is None
        if doubtful or not self._claims.any(self._database, now=now, seconds=LEASE):
            return []
        return await asyncio.to_thread(self._claims.claim, self._database, now=now, seconds=LEASE, limit=CLAIMS)

    async def tidy(self) -> None:
        """See to what others left behind: requests that came too late, and runs whose parent is over."""
        now = self._clock.for_leases(LEASE)
        await asyncio.to_thread(inbox.clear_ended, self._database, now=now)
        driven = frozenset(self.runs)
        ended = await asyncio.to_thread(end_orphans, self._database, self._worker, driven=driven, now=now)
        for run_id in ended:
            log.warning("Run %s has ended: the run around it was over, and nobody went on with it.", run_id)

    async def _resume(self, waiting: deque[Claim], asked: Sequence[Request], *, most: int) -> None:
        """Go on with up to `most` of the runs that wait for it; should the database fail, they wait on."""
        some = list(islice(waiting, most))
        codes = {claimed.run_id: self._code_of(claimed) for claimed in some}
        found = await asyncio.to_thread(recover_all, self._database, codes) if codes else {}
        for claimed in some:
            waiting.popleft()
            self._go_on(claimed, found[claimed.run_id], asked)

    def _code_of(self, claimed: Claim) -> Code:
        loaded = self._catalog.workflows[claimed.workflow]
        return Code(loaded.fingerprint, loaded.workflow.table.routes, event_types(loaded.workflow))

    def _go_on(self, claimed: Claim, recovered: Recovered | Exception, asked: Sequence[Request]) -> None:
        """Go on with a run; what was `asked` of it before comes first: no step of a cancelled run begins again."""
        if isinstance(recovered, Exception):
            self._interrupt(claimed, _in_words(claimed, recovered))
        elif not self._stopping:  # while it was read we may have been told to stop: nothing begins after that
            live = self._driver.open(claimed, self._catalog.workflows[claimed.workflow].workflow, recovered)
            self._driver.resume(live, crashed=crashed(claimed))
            for request in asked:
                if request.run_id == claimed.run_id:
                    self._taking.take(request)

    def _lose(self, claimed: Claim, error: BaseException) -> None:
        self._broken.append((claimed, error))
        self.nudge()

    def _over(self, live: LiveRun) -> None:
        if live.around is None and live.workflow.num_concurrent_runs is not None:
            self.nudge()  # the next of its kind may begin

    def _give_up(self, claimed: Claim, error: BaseException) -> None:
        """The loop of a run stopped under us: another owner goes on, or, where its own doing broke it, nobody does."""
        if isinstance(error, RunInterrupted):
            settle(self._database, claimed)  # changes nothing when the run was taken over
        else:
            self._interrupt(claimed, error)

    def _interrupt(self, claimed: Claim, error: BaseException) -> None:
        settle(self._database, claimed, status="interrupted", error=error_json(error))


def _in_words(claimed: Claim, error: Exception) -> Exception:
    """Why a run cannot go on, for a person."""
    if isinstance(error, KeyError):
        step = f"Step {error} is no longer part of workflow {claimed.workflow}"
        return TreadleError(f"{step}; put it back and resume the run.")
    if isinstance(error, TreadleError):
        return error
    return TreadleError(f"Its journal cannot be read ({type(error).__name__}: {error}); `treadle fsck` says more.")
