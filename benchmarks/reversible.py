"""What reversibility costs: time per file in one process, and peak memory of 1 GiB, as Markdown tables.

    python -m benchmarks.reversible [--folder DIR] [--rounds N] [--mebibytes N]

Times are taken in turn, a batch of files each; what counts is the median of the differences within a turn.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.commands import DCMVEIL
from dcmveil import Envelope, Opener, Policy, deidentify_file, load_certificates, load_private_key, reidentify_file
from tests.synthetic import ct_image, native_image, write_stream
from tests.synthetic.rss import peak_rss

BATCH = 50
SECRET = b"a secret of more than 16 bytes"
PASSWORD = b"a password"


def make_key(folder: Path) -> tuple[Path, Path]:
    """A private key and its certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=benchmark"]
    subprocess.run([*request, "-days", "2", "-out", certificate], check=True, capture_output=True)
    return key, certificate


def per_file(action: Callable[..., object], folder: Path) -> float:
    """Microseconds that `action` takes to write one file of a batch."""
    start = time.perf_counter()
    for number in range(BATCH):
        action(target=folder / f"{number}.out")
    return (time.perf_counter() - start) / BATCH * 1e6


def report_times(folder: Path, key: Path, certificate: Path, rounds: int) -> None:
    certificates = load_certificates(certificate, warn=print)
    opener = Opener(load_private_key(key, password=lambda: None, warn=print), PASSWORD)
    envelopes = {
        "-e": None,
        "-e -c": Envelope(certificates),
        "-e -p": Envelope(password=PASSWORD),
        "-e -c -p": Envelope(certificates, PASSWORD),
        "-e -c --authenticated": Envelope(certificates, authenticated=True),
        "-e -c --des3": Envelope(certificates, cipher="des3"),
    }
    print("| one process | us per file | more than -e |\n| --- | ---: | ---: |")
    for name, chunks in {"64x64": lambda: ct_image(64, 64), "512x512": ct_image}.items():
        source, sealed = folder / f"{name}.dcm", folder / f"{name}.sealed"
        write_stream(source, chunks(), sparse=False)
        policies = {mode: Policy(secret=SECRET, envelope=envelope) for mode, envelope in envelopes.items()}
        deidentify_file(source, sealed, policies["-e -c"])
        actions: dict[str, Callable[..., object]] = {
            mode: partial(deidentify_file, source, policy=policy) for mode, policy in policies.items()
        }
        actions["-d -k"] = partial(reidentify_file, sealed, opener=opener)
        turns = [{mode: per_file(action, folder) for mode, action in actions.items()} for _ in range(rounds + 1)][1:]
        for mode in actions:
            more = median(turn[mode] - turn["-e"] for turn in turns)
            print(f"| CT {name}, `{mode}` | {median(turn[mode] for turn in turns):.0f} | {more:.0f} |", flush=True)


def report_memory(folder: Path, key: Path, certificate: Path, size: int) -> None:
    source, sealed, restored = folder / "big.dcm", folder / "big.sealed", folder / "big.restored"
    write_stream(source, native_image(size))
    print(f"| {size >> 20} MiB native | exit status | peak RSS, MiB |\n| --- | ---: | ---: |")
    for arguments in (["-e", "-c", certificate, source, sealed], ["-d", "-k", key, sealed, restored]):
        status, peak = peak_rss([*DCMVEIL, *map(str, arguments)])
        print(f"| `{arguments[0]} {arguments[1]}` | {status} | {peak / 1024:.1f} |", flush=True)
    identical = subprocess.run(["cmp", source, restored], check=False).returncode == 0
    print(f"\nThe restored file is {'identical' if identical else 'NOT identical'}.")


def main() -> None:
    parser = argparse.ArgumentParser(description="what reversibility costs")
    parser.add_argument("--folder", help="where temporary files may stand (default: TMPDIR)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mebibytes", type=int, default=1024)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        key, certificate = make_key(folder)
        report_times(folder, key, certificate, options.rounds)
        print()
        report_memory(folder, key, certificate, options.mebibytes << 20)


if __name__ == "__main__":
    main()
