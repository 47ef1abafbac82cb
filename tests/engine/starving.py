"""Run as a program under a library that fails one allocation of the engine: each in turn, for each piece of work.

Prints a line per piece of work: its name and how many allocations it makes. Ends with status 1 and a line on stderr if
one that fails comes to anything else than MemoryError, leaves an output, or changes what the next run writes.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path

from dcmveil import Limits, Policy, _tables, deidentify_file, edit_file, parse_operation, reidentify_file
from dcmveil._elements import count_items, is_ordered, list_elements, recode
from dcmveil._scanner import Scanner
from dcmveil.editing import Edits
from dcmveil.encode import Encoding
from dcmveil.options import Options
from tests.hostile.forms import EXPLICIT as E
from tests.hostile.forms import SC_IMAGE
from tests.reversible.keys import Glass, reversible

# The `number`th allocation from now on fails; 0: none.
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static long left;

void starve(long number) { left = number; }
long starving(void) { return left; }

static int fails(void *caller) {
    Dl_info from;
    if (left <= 0 || !dladdr(caller, &from) || !strstr(from.dli_fname, "/dcmveil/_"))
        return 0;
    errno = ENOMEM;
    return --left == 0;
}

#define FAILS fails(__builtin_return_address(0))
void *malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return FAILS ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return FAILS ? NULL : __libc_realloc(old, size); }
int posix_memalign(void **to, size_t alignment, size_t size) {
    void *made = FAILS ? NULL : __libc_memalign(alignment, size);
    if (made)
        *to = made;
    return made ? 0 : ENOMEM;
}
"""
SECRET = b"a secret for starving tests"
ALL = Options(
    retain_device_identity=True,
    modify_dates=True,
    clean_descriptors=True,
    clean_structured_content=True,
    clean_graphics=True,
    retain_safe_private=True,
)
# Nothing that has to be known of the patient first: what can be written is written.
EMPTY = dict.fromkeys(("patient_id", "patient_name", "accession_number", "study_id"), "empty")
REFERENCED_IMAGE, REFERENCED_UID, CONTENT = 0x00081140, 0x00081155, 0x0040A730
CONCEPT_NAME, CODE_VALUE, CODE_SCHEME = 0x0040A043, 0x00080100, 0x00080102
VALUE_TYPE, TEXT_VALUE = 0x0040A040, 0x0040A160


def wide() -> bytes:
    """Every Attribute that the Profile has a rule for, and many UIDs."""
    items = [E.item(E.element(REFERENCED_UID, "UI", f"2.999.{number}")) for number in range(150)]
    rows = {0x00080016: E.element(0x00080016, "UI", SC_IMAGE), REFERENCED_IMAGE: E.sequence(REFERENCED_IMAGE, *items)}
    for tag, mask, *_ in _tables.confidentiality():
        vr = _tables.dictionary_vr(tag) if mask == 0xFFFFFFFF else None
        if vr is not None and vr != "SQ" and tag > 0x00080018:
            rows.setdefault(tag, E.element(tag, vr, b"1 "))
    return E.file(b"".join(rows[tag] for tag in sorted(rows)))


def deep() -> bytes:
    """40 Sequences in one another."""
    inner = E.element(REFERENCED_UID, "UI", "2.999.1")
    for _ in range(40):
        inner = E.sequence(REFERENCED_IMAGE, E.item(inner))
    return E.file(E.common() + inner)


def private() -> bytes:
    """Blocks of many creators."""
    creators = [E.element(0x00190010 + number, "LO", "SIEMENS MR HEADER") for number in range(40)]
    values = [E.element(0x0019100C + (number << 8), "IS", "1000") for number in range(40)]
    return E.file(E.common() + b"".join(creators + values))


def report() -> bytes:
    """A structured one, with texts, a date and a character set of its own."""
    code = E.element(CODE_VALUE, "SH", "121008") + E.element(CODE_SCHEME, "SH", "DCM")
    name = E.sequence(CONCEPT_NAME, E.item(code))
    item = E.element(0x00080005, "CS", "ISO_IR 100") + E.element(VALUE_TYPE, "CS", "TEXT") + name
    items = [E.item(item + E.element(TEXT_VALUE, "UT", f"Mr. Doe {number}")) for number in range(40)]
    who = E.element(0x00080020, "DA", "20200101") + E.element(0x00081030, "LO", "Study of Doe")
    return E.file(E.common() + who + E.element(0x00100010, "PN", "Doe^John") + E.sequence(CONTENT, *items))


def image() -> bytes:
    """With Pixel Data and a long Value before it."""
    name, document = E.element(0x00100010, "PN", "Doe^John"), E.element(0x00420011, "OB", b"%" * (1 << 20))
    return E.file(E.common() + name + document + E.element(0x7FE00010, "OW", bytes(1 << 15)))


# ---- pieces of work ----------------------------------------------------------------------------------------------


def on_file(folder: Path, data: bytes, run: Callable[[Path, Path], object]) -> Callable[[], bytes]:
    """What is written for a file with these bytes; nothing else may be left in the folder."""
    source, target = folder / "in", folder / "out"

    def work() -> bytes:
        source.write_bytes(data)
        try:
            run(source, target)
            return target.read_bytes()
        finally:
            target.unlink(missing_ok=True)
            assert [path.name for path in folder.iterdir()] == ["in"]

    return work


def deidentifying(policy: Policy) -> Callable[[Path, Path], object]:
    return lambda source, target: deidentify_file(source, target, policy, copy="readwrite")


def everything(folder: Path) -> dict[str, Callable[[], object]]:
    """By name."""
    plain = Policy(secret=SECRET)
    options = Policy(secret=SECRET, options=ALL)
    rounds = Policy(secret=SECRET, options=ALL, limits=Limits(drain_at=1, hold_limit=64), **EMPTY)
    verified = Policy(secret=SECRET, verifies=True)
    restored = reversible(Glass())
    sealed = on_file(folder, image(), deidentifying(restored))()
    edits = Edits([parse_operation("replace", "(0018,1020)=1.0"), parse_operation("remove", "(0010,0010)")])
    work: dict[str, Callable[[], object]] = {
        "policy": lambda: Policy(secret=SECRET, options=ALL).has_secret,
        "tokens": lambda: scanned(deep()),
        "count": lambda: Scanner.count(deep()),
        "restore": on_file(folder, sealed, lambda source, target: reidentify_file(source, target, Glass())),
        "edit": on_file(folder, image(), lambda source, target: edit_file(source, target, edits)),
        "list": lambda: list_elements(bare(deep()), Encoding.EXPLICIT_LE, levels=2),
        "count items": lambda: count_items(bare(deep()), Encoding.EXPLICIT_LE),
        "order": lambda: is_ordered(bare(deep())),
        "recode": lambda: recode(bare(report()), Encoding.EXPLICIT_LE, Encoding.IMPLICIT_LE),
    }
    for make in (wide, deep, private, report, image):
        for name, policy in (
            ("plain", plain),
            ("options", options),
            ("rounds", rounds),
            ("reversible", restored),
            ("verified", verified),
        ):
            work[f"{make.__name__}, {name}"] = on_file(folder, make(), deidentifying(policy))
    return work


def bare(file: bytes) -> bytes:
    """The Data Set alone."""
    return file[len(E.head()) :]


def scanned(data: bytes) -> object:
    scanner = Scanner()
    scanner.feed(data)
    scanner.finish()
    return scanner.tokens


def starve(library: ctypes.CDLL, work: Callable[[], object]) -> int:
    """Fail each allocation of the work; returns how many there are."""
    expected = work()
    number = 0
    while True:
        number += 1
        library.starve(number)
        try:
            found = work()
        except MemoryError:
            found = expected
            assert not library.starving()
        left = library.starving()
        library.starve(0)
        assert found == expected
        if left:
            assert work() == expected
            return number - 1


def main() -> None:
    """The folder is the argument."""
    library = ctypes.CDLL(None)
    for name, work in everything(Path(sys.argv[1])).items():
        print(name, starve(library, work), sep=": ", flush=True)


if __name__ == "__main__":
    main()
