"""What the Options cost: time per file of the Basic Profile beside that with all Options on, as a Markdown table.

    python -m benchmarks.options [--folder DIR] [--rounds N]

All files of a turn are done by each policy before the next turn; what counts is the median of the ratios of the turns.
"One series" are files of one study, "patients" as many patients, where nothing that was worked out for one file serves
for the next, and "real files" those that the tests use, nearly all of other patients.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pydicom

from dcmveil import Options, Policy, deidentify_file
from dcmveil.errors import DcmveilError
from tests.reference.files import samples
from tests.synthetic import ct_image

FILES = 40
SECRET = b"a secret of more than 16 bytes"
# All of them but full dates, which would be less work than modified ones.
ALL = Options(*[True] * len(Options._fields))._replace(retain_full_dates=False)
POLICIES: dict[str, Callable[[], Policy]] = {
    "Basic Profile": lambda: Policy(secret=SECRET),
    "all Options": lambda: Policy(secret=SECRET, options=ALL),
    "the same, but UIDs and institutions go": lambda: Policy(
        secret=SECRET, options=ALL._replace(retain_uids=False, retain_institution_identity=False)
    ),
    "all Options, --verify": lambda: Policy(secret=SECRET, options=ALL, verifies=True),
}


def one_series(rows: int) -> Iterator[pydicom.Dataset]:
    """Files that differ as those of a series do."""
    for number in range(FILES):
        image = pydicom.dcmread(io.BytesIO(b"".join(map(bytes, ct_image(rows, rows)))))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.{number}"
        image.InstanceNumber = number
        image.ContentTime = f"1011{number:02}"
        yield image


def patients(rows: int) -> Iterator[pydicom.Dataset]:
    """Files of one patient each, who is told of in the descriptions."""
    for number, image in enumerate(one_series(rows)):
        name = f"Miller{number:03}"
        image.PatientName, image.PatientID = f"{name}^Jane", f"ID{number:06}"
        image.StudyInstanceUID, image.SeriesInstanceUID = f"1.2.4.{number}", f"1.2.5.{number}"
        image.StudyDescription = f"CT Thorax {name}, follow-up {number}"
        image.StudyDate = image.SeriesDate = image.ContentDate = f"2020{1 + number % 12:02}{1 + number % 28:02}"
        image.ReferringPhysicianName = f"Smith{number}^Adam"
        image.AccessionNumber = f"A{number:07}"
        yield image


def written(folder: Path, images: Iterator[pydicom.Dataset]) -> list[Path]:
    folder.mkdir()
    paths = []
    for number, image in enumerate(images):
        paths.append(folder / f"{number}.dcm")
        image.save_as(paths[-1])
    return paths


def real_files(target: Path) -> list[Path]:
    """Those that are accepted, of the tests' corpus if it is there and of pydicom's."""
    return [sample.path for sample in samples() if is_accepted(sample.path, target, POLICIES["Basic Profile"]())]


def is_accepted(path: Path, target: Path, policy: Policy) -> bool:
    try:
        deidentify_file(path, target, policy)
    except DcmveilError:
        return False
    return True


def seconds(paths: list[Path], target: Path, policy: Policy) -> float:
    start = time.perf_counter()
    for path in paths:
        is_accepted(path, target, policy)  # --verify may refuse some, when all has been done
    return time.perf_counter() - start


def measure(paths: list[Path], target: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds per turn of each policy, which is made anew each turn: nothing is known from the turn before."""
    times: dict[str, list[float]] = {name: [] for name in POLICIES}
    for turn in range(rounds + 1):
        for name, make in POLICIES.items():
            taken = seconds(paths, target, make())
            if turn:
                times[name].append(taken)
    return times


def report(kind: str, files: int, times: dict[str, list[float]]) -> None:
    basic = times["Basic Profile"]
    for name, taken in times.items():
        ratios = [one / other for one, other in zip(basic, taken, strict=True)]
        per_file = median(taken) / files * 1e6
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"| {kind} | {name} | {per_file:,.0f} us | {median(ratios):.2f} | {spread} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where files are written (default: a temporary folder)")
    parser.add_argument("--rounds", type=int, default=31)
    options = parser.parse_args()
    print("| files | policy | per file | throughput of the Basic Profile's | least to most |\n|---|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        for kind, make in {"one series": one_series, "patients": patients}.items():
            for rows in (64, 512):
                paths = written(folder / f"{kind}{rows}", make(rows))
                report(f"{kind}, {rows}x{rows}", FILES, measure(paths, folder / "out.dcm", options.rounds))
        paths = real_files(folder / "out.dcm")
        report(f"{len(paths)} real files", len(paths), measure(paths, folder / "out.dcm", options.rounds // 2))


if __name__ == "__main__":
    main()
