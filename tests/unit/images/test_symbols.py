import shutil
import subprocess
import sys
from pathlib import Path

import numpy._core._multiarray_umath as library_with_symbols
import pytest

from images.symbols import strip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ELF is Linux' format")
LIBRARY = Path(str(library_with_symbols.__file__))
SYMBOLS = b"symbols for debuggers" * 1000


def test_a_stripped_library_works_and_is_not_stripped_again(tmp_path):
    """In a copy of NumPy, whose largest library has bytes after its last segment."""
    package = LIBRARY.parents[1]
    for folder in (package, package.with_name("numpy.libs")):
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    copy = tmp_path / "numpy/_core" / LIBRARY.name
    with copy.open("ab") as library:
        library.write(SYMBOLS)
    assert strip(copy) >= len(SYMBOLS)
    code = "import numpy; print(numpy.__file__, numpy.arange(4) @ numpy.arange(4))"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path / "numpy/__init__.py"), "14"]
    stripped = copy.read_bytes()
    assert (stripped[40:48], stripped[60:64]) == (bytes(8), bytes(4)), "the header names no sections"
    assert strip(copy) == 0
    assert copy.read_bytes() == stripped


@pytest.mark.parametrize(
    "content",
    [b"", b"/* GNU ld script */ INPUT(libopenvino.so.2641)" * 9, b"\x7fELF\x01\x01" + bytes(200)],
    ids=["empty", "linker script", "32-bit library"],
)
def test_does_not_change_other_files(tmp_path, content):
    (tmp_path / "lib.so").write_bytes(content)
    assert strip(tmp_path / "lib.so") == 0
    assert (tmp_path / "lib.so").read_bytes() == content
