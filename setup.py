"""Build of the extension modules; everything else is in pyproject.toml.

Switches (environment): DCMVEIL_TRACE=1 line tracing for coverage, DCMVEIL_SANITIZE=address,undefined (with clang also
fuzzer-no-link, see tests/fuzz), DCMVEIL_ANNOTATE=1 annotated HTML. Use `--force` after changing one.
"""

import importlib.util
import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

HERE = Path(__file__).resolve().parent
GENERATED = Path("build", "generated")

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": True,
    "binding": True,
    "auto_pickle": False,
}


def generate_tables() -> None:
    """ext/tables/*.tsv -> build/generated/tables.h"""
    spec = importlib.util.spec_from_file_location("generate", HERE / "ext" / "tables" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (HERE / GENERATED).mkdir(parents=True, exist_ok=True)
    module.generate(HERE / GENERATED / "tables.h")


def extensions() -> list[Extension]:
    """One extension module per .pyx of ext/dcmveil."""
    trace = bool(os.environ.get("DCMVEIL_TRACE"))
    sanitize = os.environ.get("DCMVEIL_SANITIZE")
    flags = [] if sys.platform == "win32" else ["-O2", "-g0"]
    if sanitize:
        flags += [f"-fsanitize={sanitize}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g1"]
    macros = [("CYTHON_TRACE_NOGIL", "1")] if trace else []
    found = [
        Extension(
            f"dcmveil.{source.stem}",
            [str(source.relative_to(HERE))],
            include_dirs=[str(GENERATED)],
            depends=[str(GENERATED / "tables.h")],
            extra_compile_args=flags,
            extra_link_args=flags,
            define_macros=macros,
        )
        for source in sorted((HERE / "ext" / "dcmveil").glob("*.pyx"))
    ]
    return cythonize(
        found,
        include_path=["ext"],
        build_dir=None if trace else "build",
        annotate=bool(os.environ.get("DCMVEIL_ANNOTATE")),
        compiler_directives=DIRECTIVES | ({"linetrace": True} if trace else {}),
    )


generate_tables()
setup(ext_modules=extensions())
