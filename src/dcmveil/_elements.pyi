# The typed face of ext/dcmveil/_elements.pyx, which holds the documentation.

# level, number of the Item, tag, VR, offsets of header, Value and end
def list_elements(
    data: bytes, encoding: int, *, levels: int = 1
) -> list[tuple[int, int, int, str | None, int, int, int]]: ...
def recode(data: bytes, source: int, target: int) -> bytes: ...
