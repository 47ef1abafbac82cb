"""Every output is whole or absent, whatever fails; and what would not be so is noticed."""

from __future__ import annotations

import errno
import signal
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from tests.faults.allocations import Allocations
from tests.faults.campaign import FILE_KINDS, MEMORY_KINDS, Campaign, stage
from tests.faults.judge import Fault
from tests.faults.kills import BAD, MODES, killing, moments
from tests.faults.scenes import SCENES
from tests.faults.shim import How, Kind

FEW = 8  # of the faults of a scene
SOME = 18


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    with stage(tmp_path_factory.mktemp("faults")) as found:
        yield found


def wrong(campaign: Campaign, name: str, kinds: tuple[Kind, ...], most: int | None) -> list[str]:
    tally = campaign.run(SCENES[name], kinds, most=most)
    assert tally.counts["runs"] > 0
    return [f"{fault}: {verdict}" for _scene, fault, verdict in tally.wrong]


@pytest.mark.parametrize("name", ["-e plain", "named old output", "folder --report --map", "pipe -d plain"])
def test_a_few_faults(name: str, campaign: Campaign) -> None:
    assert wrong(campaign, name, FILE_KINDS, FEW) == []


def test_calls_of_python_and_of_the_engine_are_seen(campaign: Campaign) -> None:
    """By name of the library call: what the engine makes without Python is copy, splice and allocate."""
    counts = campaign.expected(SCENES["-e bulk"]).counts
    assert counts.keys() >= {Kind.OPEN, Kind.READ, Kind.WRITE, Kind.CLOSE, Kind.LINK, Kind.STAT, Kind.MALLOC, Kind.PIPE}
    assert counts[Kind.SPLICE] >= 6
    assert counts[Kind.COPY] == 1


def test_allocations_have_places(campaign: Campaign) -> None:
    """The same ones in each run, and each allocation fails where it is said to be, called by number or by place."""
    scene = SCENES["--dumb plain"]
    expected = campaign.expected(scene)
    places = campaign.trace(scene, expected)
    assert places == campaign.trace(scene, expected)
    assert len(set(places)) > 100
    assert [place & 1 for place in places] == sorted(place & 1 for place in places)
    for at in (1, len(places) // 2, len(places)):
        place = places[at - 1]
        fault = Fault(Kind.MALLOC, at, How.ONCE, errno.ENOMEM)
        assert campaign.fail(scene, expected, fault).place == place
        assert campaign.fail(scene, expected, fault._replace(at=1, place=place)).place == place


# What was found, each by a fault that showed it: one of all calls of a kind in a scene.
FOUND = [
    ("-e plain", Kind.CLOSE, errno.EINTR, "closing the secret, the output and the input"),
    ("-e -c plain", Kind.CLOSE, errno.EINTR, "closing the certificate"),
    ("--dry-run", Kind.CLOSE, errno.EIO, "closing the report"),
    ("folder --report --map", Kind.CLOSE, errno.EIO, "closing report and map"),
    ("folder told again", Kind.READ, 0, "reading the beginning of report and map"),
    ("named", Kind.UNLINK, errno.EIO, "taking away the file that told the mode"),
    ("pipe aside named", Kind.UNLINK, errno.EIO, "taking away the name of what is set aside"),
    ("-e plain", Kind.STAT, errno.EIO, "looking at the input"),
    ("folder -e --jobs 2", Kind.WRITE, errno.ENOBUFS, "telling a process what to do"),
]


@pytest.mark.ci
@pytest.mark.parametrize(("name", "kind", "error", "_what"), FOUND, ids=[row[3] for row in FOUND])
def test_what_was_found(name: str, kind: Kind, error: int, _what: str, campaign: Campaign) -> None:
    scene = SCENES[name]
    expected = campaign.expected(scene)
    retried = error in (0, errno.EINTR)
    for at in range(1, expected.counts[kind] + 1):
        fault = Fault(kind, at, How.ONCE, error, retried)
        assert campaign.fail(scene, expected, fault).verdict.word == "", str(fault)


ELEMENTS = """
import dcmveil.__main__
from dcmveil._elements import list_elements
DATA = b"\\x08\\x00\\x40\\x11SQ\\0\\0\\xff\\xff\\xff\\xff\\xfe\\xff\\xdd\\xe0\\0\\0\\0\\0\\x10\\x00\\x10\\x00PN\\2\\0A^"
EXPECTED = list_elements(DATA, 0)
dcmveil.__main__.command = lambda: os._exit(0 if list_elements(DATA, 0) == EXPECTED else 77)
"""


@pytest.mark.ci
def test_no_element_is_left_out_of_a_list_for_want_of_memory(tmp_path: Path) -> None:
    """What tells of each is called by C, which takes a status and no exception."""
    with stage(tmp_path, allocator="malloc") as campaign:
        expected = campaign.expected(SCENES["--dumb plain"])
        with campaign.broken(ELEMENTS):
            ended = [
                campaign.fail(SCENES["--dumb plain"], expected, Fault(Kind.MALLOC, at, how, errno.ENOMEM))
                for at in range(1, 20)
                for how in (How.ONCE, How.FOR_A_WHILE)
            ]
    found = [run.ended.status for run in ended if run.hits]
    assert found.count(1) >= 8
    assert set(found) == {1}


# ---- what takes a while ----------------------------------------------------------------------------------------------


@pytest.mark.ci
@pytest.mark.parametrize("name", SCENES)
def test_some_faults_of_every_scene(name: str, campaign: Campaign) -> None:
    assert wrong(campaign, name, FILE_KINDS, SOME) == []


@pytest.mark.ci
def test_each_allocation(campaign: Campaign) -> None:
    tally = Allocations(campaign).run(SCENES["--dumb plain"])
    assert tally.wrong == []
    assert tally.counts["unmet"] == 0
    assert tally.counts["runs"] >= tally.counts["allocations"] + tally.counts["places"]


@pytest.mark.ci
@pytest.mark.parametrize("name", ["-e plain", "-e -c bulk", "folder -e --jobs 2"])
def test_some_allocations(name: str, campaign: Campaign) -> None:
    assert wrong(campaign, name, MEMORY_KINDS, 2 * SOME) == []


SABOTAGE = {
    "a short count is not retried": (
        "import dcmveil.sinks\ndcmveil.sinks.write_all = lambda fd, data: os.write(fd, data)",
        "-e deflated",
        Fault(Kind.WRITE, 1, How.ONCE, retried=True),
        "PARTIAL",
    ),
    "closing is not asked": (
        "import dcmveil.output\ndcmveil.output.settle = lambda fd: None",
        "-e plain",
        Fault(Kind.CLOSE, 1, How.ONCE, errno.EIO),
        "FALSE SUCCESS",
    ),
    "the name comes first": (
        "from dcmveil.output import AtomicFile as A\nopened = A._open\n"
        "A._open = lambda self: (opened(self), self._publish())\nA.commit = A._discard",
        "-e plain",
        Fault(Kind.WRITE, 1, How.KILL),
        "PARTIAL",
    ),
    "the old output goes first": (
        "from dcmveil.output import AtomicFile as A\nopened = A._open\n"
        "A._open = lambda self: (opened(self), os.unlink(self._target))",
        "old output",
        Fault(Kind.WRITE, 1, How.ONCE, errno.ENOSPC),
        "LOST",
    ),
    "temporary names stay": (
        "import dcmveil.output\ndcmveil.output._unlink = lambda *_name: None",
        "named",
        Fault(Kind.WRITE, 1, How.ONCE, errno.ENOSPC),
        "LEFT",
    ),
    "failures are not told": (
        "import dcmveil.batch\ndcmveil.batch.Tally.failed = False",
        "-e plain",
        Fault(Kind.WRITE, 1, How.ONCE, errno.ENOSPC),
        "FALSE SUCCESS",
    ),
    "what was sealed stays in the open": (
        "import dcmveil.cli\nfrom dcmveil import Options\nprofile_of = dcmveil.cli.profile_of\n"
        "dcmveil.cli.profile_of = lambda given: profile_of(given) | {'options': Options(retain_uids=True)}",
        "-e -c plain",
        Fault(Kind.READ, 1, How.ONCE, retried=True),
        "PARTIAL",
    ),
    "a lack of memory is not told": (
        "import dcmveil.batch\ndcmveil.batch.Tally.failed = False",
        "--dumb plain",
        Fault(Kind.MALLOC, 1, How.ONCE, errno.ENOMEM),
        "FALSE SUCCESS",
    ),
}


@pytest.mark.ci
@pytest.mark.parametrize(("code", "name", "fault", "word"), SABOTAGE.values(), ids=SABOTAGE)
def test_broken_code_is_noticed(code: str, name: str, fault: Fault, word: str, campaign: Campaign) -> None:
    scene = SCENES[name]
    expected = campaign.expected(scene)
    calls = range(1, expected.counts[fault.kind] + 1)
    with campaign.broken(code):
        assert any(campaign.fail(scene, expected, fault._replace(at=at)).verdict.word == word for at in calls)


@pytest.mark.ci
@pytest.mark.parametrize(
    ("number", "nameless"), [(signal.SIGKILL, True), (signal.SIGTERM, True), (signal.SIGTERM, False)]
)
def test_runs_that_are_ended_leave_whole_files(number: signal.Signals, nameless: bool, tmp_path: Path) -> None:
    total: Counter[str] = Counter()
    with killing(tmp_path, nameless=nameless) as kills:
        for mode, moment in zip(cycle(MODES), moments(number), strict=False):
            total += kills.kill(mode, number, moment)
            if total["signals"] >= 2 * len(MODES):
                break
    assert {name: total[name] for name in BAD if total[name]} == {}
