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


@pytest.fixture
def numpy_copy(tmp_path: Path) -> Path:
    """A folder with a copy of NumPy, whose largest library has bytes after its last loaded segment."""
    package = Path(LIBRARY).parents[1]
    for folder in (package, package.with_name("numpy.libs")):
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    with copy_of(tmp_path).open("ab") as library:
        library.write(SYMBOLS)
    return tmp_path


def copy_of(folder: Path) -> Path:
    return folder / "numpy/_core" / LIBRARY.name


def test_a_stripped_library_works(numpy_copy: Path) -> None:
    freed = strip(copy_of(numpy_copy))
    assert freed >= len(SYMBOLS)
    code = "import numpy; print(numpy.__file__, numpy.arange(4) @ numpy.arange(4))"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(numpy_copy)}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(numpy_copy / "numpy/__init__.py"), "14"]


def test_stripping_again_changes_nothing(numpy_copy: Path) -> None:
    strip(copy_of(numpy_copy))
    before = copy_of(numpy_copy).read_bytes()
    assert strip(copy_of(numpy_copy)) == 0
    assert copy_of(numpy_copy).read_bytes() == before


def test_the_header_of_a_stripped_library_has_no_sections(numpy_copy: Path) -> None:
    strip(copy_of(numpy_copy))
    header = copy_of(numpy_copy).read_bytes()[:64]
    assert header[40:48] == bytes(8)
    assert header[60:64] == bytes(4)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"/* GNU ld script */ INPUT(libopenvino.so.2641)" * 9, id="linker script"),
        pytest.param(b"\x7fELF\x01\x01" + bytes(200), id="32-bit library"),
    ],
)
def test_does_not_change_other_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lib.so").write_bytes(content)
    assert strip(tmp_path / "lib.so") == 0
    assert (tmp_path / "lib.so").read_bytes() == content
