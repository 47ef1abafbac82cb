"""Imports point down only, nothing else reads DICOM here, and a command loads no more than it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.quality.layers import ROOT, all_imports, cython_imports, graph, python_imports

SAMPLE = ROOT / "tests" / "data" / "sample.dcm"

# From the bottom up. Modules of one layer do not know each other.
LAYERS = (
    ("descriptors", "stopping"),
    (
        "errors",
        "tags",
        "tables",
        "tables_files",
        "report",
        "options",
        "fragments",
        "risks",
        "memos",
        "stems",
        "_names",
    ),
    (
        "wire",
        "_tables",
        "textfiles",
        "layout",
        "trees",
        "tables_reader",
        "held",
        "bulk",
        "cloud_urls",
        "cloud_session",
        "lines",
    ),
    ("scan", "cloud_stores", "_process"),
    ("_preface", "_edits", "_loader", "_alphabets", "cloud_ranges", "shielding", "room"),
    ("_scanner", "_policy", "_copier", "_inverse"),
    ("_settling",),
    ("_scripts",),
    ("_private", "_plan", "_elements", "_repeats"),
    ("state", "_answered"),
    ("_creators",),
    ("_recorder",),
    ("_choosing",),
    ("_frames",),
    ("_listening",),
    ("_doing",),
    ("_tokens",),
    ("_planner",),
    ("encode", "iods", "uids", "sources", "output", "charsets", "cms_structures", "places", "keys"),
    (
        "dummies",
        "provenance",
        "rules",
        "values",
        "originals",
        "recompressing",
        "texts",
        "cms_algorithms",
        "dates",
        "sinks",
    ),
    ("contents", "privates", "pseudonyms", "operations", "needles", "walking", "folding", "moments", "outcomes"),
    ("vocabulary", "manners", "verifying", "selection"),
    ("namings", "identity", "conformance"),
    ("traces",),
    ("cleaning",),
    ("profile", "questions", "reversal", "cms", "resources", "conditions"),
    ("userrules", "admitting", "subjects"),
    ("compiling", "renewing", "structured", "rulesfile"),
    ("basis",),
    ("recalling", "resolver"),
    ("deidentifying",),
    ("policy", "rewriting"),
    ("proving", "flowing", "cloud_reading"),
    ("sealing", "restoring", "cloud_writing", "cloud_upload"),
    ("files", "reidentifying"),
    ("editing",),
    ("streaming",),
    ("__init__",),
    ("folders", "workers", "tasks"),
    ("aside",),
    ("pipes", "cloud"),
    ("batch",),
    ("console", "journal", "mapping", "numbering"),
    ("arguments",),
    ("credentials", "choices"),
    ("cli",),
    ("__main__",),
)
HEIGHT = {name: height for height, layer in enumerate(LAYERS) for name in layer}

FOREIGN_READERS = {"pydicom", "gdcm", "dicom", "pynetdicom", "highdicom", "SimpleITK"}

# Prints the modules that running the command line `argv[1:]` has added to a bare interpreter.
LOADED_BY_COMMAND = """
import sys
before = set(sys.modules)
from dcmveil.__main__ import main
status = main()
print(status, *sorted(set(sys.modules) - before))
"""
LOADED_BY_IMPORT = "import sys; before = set(sys.modules); import dcmveil; print(0, *sorted(set(sys.modules) - before))"


def loaded(script: str, *arguments: str | Path) -> set[str]:
    """Modules that a script adds to a bare interpreter. Its last line is an exit status, which must be 0, and them."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, *modules = done.stdout.splitlines()[-1].split()
    assert status == "0", done.stderr
    return set(modules)


def heads(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_every_module_has_its_layer() -> None:
    assert graph().keys() == HEIGHT.keys()


@pytest.mark.parametrize("name", HEIGHT)
def test_imports_point_down(name: str) -> None:
    upwards = {other for other in graph()[name] if HEIGHT[other] >= HEIGHT[name]}
    assert not upwards


def test_no_other_reader_of_dicom_is_imported() -> None:
    for name, imports in all_imports().items():
        assert not heads({module for module, _names in imports}) & FOREIGN_READERS, name


def test_imports_within_functions_and_for_type_checkers_count() -> None:
    text = "if TYPE_CHECKING:\n    from dcmveil.a import b\ndef f():\n    import dcmveil.c, d as e\nfrom . import g\n"
    assert set(python_imports(text)) == {("dcmveil.a", ("b",)), ("dcmveil.c", ()), ("d", ()), ("dcmveil", ("g",))}


def test_cimports_count_in_all_their_forms() -> None:
    text = (
        "from dcmveil.a cimport (  # why\n    B,\n    C as D,\n)\ncimport dcmveil.e\nfrom dcmveil.f import g\n"
        "from dcmveil cimport h, i\n# from dcmveil.j cimport k\nfrom dcmveil.l cimport *\n"
    )
    assert set(cython_imports(text)) == {
        ("dcmveil.a", ("B", "C")),
        ("dcmveil.e", ()),
        ("dcmveil.f", ("g",)),
        ("dcmveil", ("h", "i")),
        ("dcmveil.l", ("*",)),
    }


@pytest.mark.parametrize(
    ("script", "arguments"),
    [(LOADED_BY_IMPORT, ()), (LOADED_BY_COMMAND, ("-v",)), (LOADED_BY_COMMAND, ("--version",))],
    ids=["import", "-v", "--version"],
)
def test_the_version_costs_next_to_nothing(script: str, arguments: tuple[str, ...]) -> None:
    modules = loaded(script, *arguments)
    assert not heads(modules) & {"cryptography", "argparse", "tqdm", "json", "typing"}
    assert not {module for module in modules if module.startswith("dcmveil._") and module != "dcmveil.__main__"}


def test_one_file_needs_neither_progress_bar_nor_processes(tmp_path: Path) -> None:
    modules = loaded(LOADED_BY_COMMAND, SAMPLE, tmp_path / "out.dcm")
    assert (tmp_path / "out.dcm").stat().st_size > 0
    assert not heads(modules) & {"tqdm", "cryptography", "concurrent", "multiprocessing", "asyncio", *FOREIGN_READERS}
