"""The engine with coverage and sanitizers, and the fuzzer around it, by clang, in build/fuzz.

The targets are compiled too, by Cython and without instrumentation: they are only to be fast.

All of it has to do with 64 MiB, interpreter, sanitizers and fuzzer included. Freed memory is in quarantine until there
is 1 MiB of it, and what is not needed goes back to the system at once; blocks have their full redzones. Where there is
room every object of Python is a block of its own too: then a byte too much is seen in an output as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.fuzz.referee import INTERPRETER

__all__ = ["BUILT", "CHECKOUT", "FUZZER", "LIBRARY", "build", "environment", "has_libfuzzer"]

CHECKOUT = Path(__file__).resolve().parents[2]
BUILT = CHECKOUT / "build" / "fuzz"
LIBRARY = BUILT / "lib"
FUZZER = BUILT / "fuzzer"
HERE = Path(__file__).parent
SANITIZERS = "address,undefined"
COMPILED = ("plan",)
# Reports have no stacks of the allocations: whoever needs one runs the input again.
ASAN = {
    "detect_leaks": 0,
    "allocator_may_return_null": 1,
    "quarantine_size_mb": 1,
    "thread_local_quarantine_size_kb": 64,
    "malloc_context_size": 0,
    "allocator_release_to_os_interval_ms": 0,
}
FASTER = {"plan": {"allocator_release_to_os_interval_ms": 100}}  # and 2 MiB more
CRYPTOGRAPHIC = ("reidentify",)  # OpenSSL and pyasn1 alone take 20 MiB


def has_libfuzzer() -> bool:
    """Is there a clang that can make a fuzzer, and a checkout with the C of it?"""
    clang = shutil.which("clang")
    if clang is None or not (HERE / "harness.c").exists():
        return False
    where = subprocess.run([clang, "-print-resource-dir"], capture_output=True, text=True, check=False).stdout.strip()
    return bool(where) and any(Path(where).rglob("libclang_rt.fuzzer*.a"))


def build() -> None:
    """All of it. Raises CalledProcessError."""
    _engine()
    _python()
    _targets()
    _harness()


def environment(target: str, *, lines: bool) -> dict[str, str]:
    """What the fuzzer is run with."""
    sanitizer = {**ASAN, **FASTER.get(target, {})}
    path = [str(LIBRARY), *(each for each in sys.path if each not in ("", str(CHECKOUT / "src"))), str(CHECKOUT)]
    return {
        **os.environ,
        "DCMVEIL_FUZZ_TARGET": f"fuzz_{target}" if target in COMPILED else f"tests.fuzz.{target}",
        **({"DCMVEIL_FUZZ_LINES": "1"} if lines else {}),
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONHOME": sys.base_prefix,
        INTERPRETER: sys.executable,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(BUILT / "pyc"),
        "PYTHONNODEBUGRANGES": "1",
        "PYTHONMALLOC": "pymalloc" if target in CRYPTOGRAPHIC else "malloc",
        "ASAN_OPTIONS": ":".join(f"{name}={value}" for name, value in sanitizer.items()),
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def _run(command: list[str], **variables: str) -> None:
    subprocess.run(command, cwd=CHECKOUT, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)


def _engine() -> None:
    where = ["--build-lib", str(LIBRARY), "--build-temp", str(BUILT / "temp")]
    jobs = f"-j{os.cpu_count() or 1}"
    compiler = {
        "CC": "clang",
        "LDSHARED": "clang -shared",
        "CFLAGS": f"-fsanitize-ignorelist={HERE / 'ignored.txt'} -fno-sanitize-coverage=trace-cmp "
        f"-fsanitize-coverage-ignorelist={HERE / 'uncounted.txt'}",
    }
    sanitizers = {"DCMVEIL_SANITIZE": f"fuzzer-no-link,{SANITIZERS}"}
    _run([sys.executable, "setup.py", "-q", "build_ext", *where, jobs], **compiler, **sanitizers)


def _python() -> None:
    """The Python of the package, beside its extension modules."""
    for source in (CHECKOUT / "src" / "dcmveil").glob("*.py"):
        shutil.copy2(source, LIBRARY / "dcmveil")


def _targets() -> None:
    """Those that are called oftenest, compiled."""
    for name in COMPILED:
        source, target = BUILT / f"fuzz_{name}.c", LIBRARY / f"fuzz_{name}.so"
        options = ["-3", "--module-name", f"fuzz_{name}", "-X", "annotation_typing=False", "-o", str(source)]
        _run([sys.executable, "-m", "cython", *options, str(HERE / f"{name}.py")])
        _run(
            [
                "clang",
                "-O2",
                "-shared",
                "-fPIC",
                f"-I{sysconfig.get_paths()['include']}",
                str(source),
                "-o",
                str(target),
            ]
        )


def _harness() -> None:
    include = sysconfig.get_paths()["include"]
    libraries = sysconfig.get_config_var("LIBDIR")
    version = sysconfig.get_config_var("LDVERSION")
    flags = ["-O2", "-g1", "-Wall", "-Wextra", f"-fsanitize=fuzzer,{SANITIZERS}", f"-I{include}"]
    links = [f"-L{libraries}", f"-lpython{version}", f"-Wl,-rpath,{libraries}", "-Wl,--export-dynamic"]
    sources = [str(HERE / "harness.c"), str(HERE / "mutator.c")]
    _run(["clang", *flags, *sources, *links, "-o", str(FUZZER)])
