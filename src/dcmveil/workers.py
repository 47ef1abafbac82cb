"""Work shared out among processes, with the results in the order of the work.

The processes are forks: they have all that the work needs, secrets and compiled tables as well, without its being
sent or made again. Each has a pipe of its own; a few jobs wait in it, so that no process has to wait for the next
one. Short jobs are sent and answered several at a time, or the sending would cost as much as the work. Results that
come before their turn are kept as the bytes they came as, and no more work is given out while those are many: a
million jobs take no more memory than a thousand.

A process that ends has lost the job it was at, which it has noted in memory that is shared. That job counts as lost,
the others that it had been given and not answered go to the next.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator
from mmap import mmap
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from struct import Struct
from time import monotonic
from typing import Any, Generic, NamedTuple, TypeVar, cast

from dcmveil.errors import DcmveilError
from dcmveil.stopping import end_as_told, signals_held, take_signals

__all__ = ["in_processes"]

_J = TypeVar("_J")
_R = TypeVar("_R")

_CHUNK = 32  # jobs sent at a time at most; two chunks wait in a pipe at most,
_CHUNK_BYTES = 24 << 10  # less than it holds
_ANSWER_SECONDS = 0.02  # that results wait for others before they are sent,
_ANSWER_BYTES = 64 << 10  # and about what they come to
_MAX_JOBS_AHEAD = 4096  # of the first one that has no result yet
_MAX_BYTES_AHEAD = 64 << 20
_HEAD = Struct("=dI")
_PATIENCE = 10.0  # seconds for a process to clean up


def in_processes(
    work: Callable[[_J], _R],
    jobs: Iterator[_J],
    count: int,
    *,
    lost: Callable[[_J, str], _R],
    again: Callable[[_J], _J] = lambda job: job,
) -> Iterator[_R]:
    """The results of `work` for each of the jobs, in their order, from `count` processes at most.

    Jobs and results must be what pickle can handle. `lost` makes the result of a job whose process has ended, and
    is told how; `again` makes the job that is to be done once more, since its result went with the process. Closing
    the iterator interrupts the processes and waits for them. Raises DcmveilError if none can be started.
    """
    crew = _Crew(work, jobs, count, lost, again)
    try:
        yield from crew.results()
        crew.dismiss()
    finally:
        crew.interrupt()


class _Numbered(NamedTuple, Generic[_J]):
    number: int
    job: _J


class _Answer(NamedTuple):
    """A result: where it is in a message, and its share of the bytes of that."""

    message: bytes
    place: int
    share: int


class _Worker(Generic[_J, _R]):
    """One process, our end of its pipe, and what it has been given and not answered."""

    def __init__(self, work: Callable[[_J], _R], others: list[Connection]) -> None:
        fork = get_context("fork")
        self.connection, theirs = fork.Pipe()
        self.begun = memoryview(mmap(-1, 8)).cast("Q")  # jobs, counted by the process
        self.answered = 0
        arguments = (theirs, work, [*others, self.connection], self.begun)
        self.process = fork.Process(target=_serve, args=arguments, daemon=True)
        self.given: deque[_Numbered[_J]] = deque()
        with signals_held():
            self.process.start()
        theirs.close()

    def give(self, chunk: list[_Numbered[_J]]) -> list[_Numbered[_J]]:
        """Returns what would have been too much at a time."""
        given = chunk
        while len(jobs := pickle.dumps([numbered.job for numbered in given])) > _CHUNK_BYTES and len(given) > 1:
            given = given[: len(given) // 2]
        self.given += given
        try:
            self.connection.send_bytes(jobs)
        except OSError:  # it has ended, or has to: either is found when its answers are read
            self.interrupt()
        return chunk[len(given) :]

    def take_at_work(self) -> tuple[_Numbered[_J], list[_Numbered[_J]]]:
        """The job that it was at when it ended, or would have come to next, and those that had been done before."""
        done = max(self.begun[0] - self.answered - 1, 0)
        before = [self.given.popleft() for _ in range(done)]
        return self.given.popleft(), before

    def end(self) -> str:
        """Wait for the process, which has closed its pipe; returns how it ended."""
        self.connection.close()
        self.process.join(_PATIENCE)
        code = self.process.exitcode
        if code is None:
            return "does not answer any more"
        return f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"

    def interrupt(self) -> None:
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, signal.SIGINT)

    def wait_or_kill(self) -> None:
        self.process.join(_PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self.connection.close()


class _Crew(Generic[_J, _R]):
    """All processes, and the results that wait for their turn."""

    def __init__(
        self,
        work: Callable[[_J], _R],
        jobs: Iterator[_J],
        count: int,
        lost: Callable[[_J, str], _R],
        again: Callable[[_J], _J],
    ) -> None:
        self._work = work
        self._count = count
        self._lost = lost
        self._again = again
        self._jobs = (_Numbered(number, job) for number, job in enumerate(jobs))
        self._returned: list[_Numbered[_J]] = []
        self._workers: dict[Connection, _Worker[_J, _R]] = {}
        self._early: dict[int, _Answer] = {}
        self._early_bytes = 0
        self._next = 0
        self._size = 1  # of the next chunk
        self._unpacked: tuple[bytes, list[Any]] = b"", []

    def results(self) -> Iterator[_R]:
        """All results. Each is yielded as soon as all before it have been."""
        while True:
            self._give_out()
            busy = [connection for connection, worker in self._workers.items() if worker.given]
            if not busy:
                return
            for ready in wait(busy):
                self._receive(self._workers[cast(Connection, ready)])
            while self._next in self._early:
                answer = self._early.pop(self._next)
                self._early_bytes -= answer.share
                self._next += 1
                yield self._unpack(answer)

    def _unpack(self, answer: _Answer) -> _R:
        if self._unpacked[0] is not answer.message:
            self._unpacked = answer.message, pickle.loads(memoryview(answer.message)[_HEAD.size :])
        return cast(_R, self._unpacked[1][answer.place])

    def _give_out(self) -> None:
        """Keep every process supplied; start another one only if all have something to do."""
        for worker in list(self._workers.values()):
            if len(worker.given) <= self._size:
                self._give(worker)
        while len(self._workers) < self._count and (chunk := self._chunk(1)):
            self._start(chunk)

    def _start(self, chunk: list[_Numbered[_J]]) -> None:
        """Another process with a first chunk; where there can be no more, those that are there have to do."""
        try:
            worker: _Worker[_J, _R] = _Worker(self._work, list(self._workers))
        except OSError as error:
            if not self._workers:
                raise DcmveilError(f"no process can be started: {error.strerror}") from None
            self._count = len(self._workers)
            self._returned += reversed(chunk)
            return
        self._workers[worker.connection] = worker
        self._returned += reversed(worker.give(chunk))

    def _give(self, worker: _Worker[_J, _R]) -> None:
        if chunk := self._chunk(self._size):
            self._returned += reversed(worker.give(chunk))

    def _chunk(self, size: int) -> list[_Numbered[_J]]:
        """The next jobs; none if too many results wait already."""
        chunk: list[_Numbered[_J]] = []
        while len(chunk) < size and (numbered := self._take()) is not None:
            chunk.append(numbered)
        return chunk

    def _take(self) -> _Numbered[_J] | None:
        if self._returned:
            return self._returned.pop()
        if len(self._early) >= _MAX_JOBS_AHEAD or self._early_bytes >= _MAX_BYTES_AHEAD:
            return None
        return next(self._jobs, None)

    def _receive(self, worker: _Worker[_J, _R]) -> None:
        """Some answers of a process, or its end."""
        try:
            message = worker.connection.recv_bytes()
        except (EOFError, OSError):
            self._replace(worker)
            return
        seconds, count = _HEAD.unpack_from(message)
        worker.answered += count
        share = len(message) // count
        for index in range(count):
            self._keep(worker.given.popleft().number, _Answer(message, index, share))
        wanted = min(_ANSWER_SECONDS / max(seconds / count, 1e-6), _ANSWER_BYTES / share, 2 * self._size, _CHUNK)
        self._size = max(int(wanted), 1)

    def _replace(self, worker: _Worker[_J, _R]) -> None:
        del self._workers[worker.connection]
        how = worker.end()
        at_work, done = worker.take_at_work()
        message = _message(0.0, [self._lost(at_work.job, how)])
        self._keep(at_work.number, _Answer(message, 0, len(message)))
        self._returned += reversed(worker.given)
        self._returned += reversed([numbered._replace(job=self._again(numbered.job)) for numbered in done])

    def _keep(self, number: int, answer: _Answer) -> None:
        self._early[number] = answer
        self._early_bytes += answer.share

    def dismiss(self) -> None:
        """Nothing is left to do: each process ends when it finds its pipe closed."""
        workers, self._workers = self._workers, {}
        for worker in workers.values():
            worker.connection.close()
        for worker in workers.values():
            worker.wait_or_kill()

    def interrupt(self) -> None:
        """End those that are still there. They clean up as after an interrupt from a terminal."""
        for worker in self._workers.values():
            worker.interrupt()
        self.dismiss()


def _message(seconds: float, results: list[Any]) -> bytes:
    """Results as they are sent: how long they took and how many they are can be seen without having them all again."""
    return _HEAD.pack(seconds, len(results)) + pickle.dumps(results)


def _serve(connection: Connection, work: Callable[[_J], _R], others: list[Connection], begun: memoryview[int]) -> None:
    """The life of a process. An interrupt may come when it is at its end already: multiprocessing would print that."""
    try:
        _answer_all(connection, work, others, begun)
        end_as_told()
    finally:
        os._exit(0)


def _answer_all(
    connection: Connection, work: Callable[[_J], _R], others: list[Connection], begun: memoryview[int]
) -> None:
    """Answer until the pipe is closed or an interrupt comes. There is nothing else to undo."""
    try:
        for other in others:  # or their processes would not notice that ours has ended
            other.close()
        take_signals()
        while True:
            _work_through(connection, work, pickle.loads(connection.recv_bytes()), begun)
    except (EOFError, OSError, KeyboardInterrupt):
        pass  # and what the exception held goes
    except BaseException:  # multiprocessing would print its text, which may hold a Value; the job counts as lost
        os._exit(1)


def _work_through(connection: Connection, work: Callable[[_J], _R], jobs: list[_J], begun: memoryview[int]) -> None:
    results: list[_R] = []
    since = monotonic()
    for number, job in enumerate(jobs, 1):
        begun[0] += 1
        results.append(work(job))
        now = monotonic()
        if now - since >= _ANSWER_SECONDS or number == len(jobs):
            connection.send_bytes(_message(now - since, results))
            results, since = [], now
