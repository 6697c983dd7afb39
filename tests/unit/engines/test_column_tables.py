from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coinfarm.engines.column_tables import ColumnTables, TableLookup
from coinfarm.errors import ModelError
from image_render.render import render_frames
from image_render.rows import pack_rows
from image_render.windows import Columns, windows
from tests.support.compiled_models import random_tables
from tests.support.synthetic_candles import minutes

VIEW = windows(minutes(203).columns)
FLAT = Columns(*(np.full((1, 200), 100.0) for _ in Columns._fields))
WITHOUT_VOLUME = VIEW._replace(volume=np.zeros(VIEW.volume.shape))
EVERY = Columns(*(np.concatenate(columns) for columns in zip(VIEW, FLAT, WITHOUT_VOLUME, strict=True)))
ROWS, FRAMES = pack_rows(EVERY), render_frames(EVERY)

LAYERS = [
    pytest.param({}, id="one candle"),
    pytest.param({"offsets": (-1, 0, 1)}, id="three candles"),
    pytest.param({"offsets": (0, 1, 2), "positions": 198}, id="three candles without padding"),
    pytest.param({"offsets": (0, 1, 2), "stride": 2, "positions": 100}, id="stride 2"),
    pytest.param({"offsets": (-4, 0, 4)}, id="dilated"),
    pytest.param({"offsets": (-1, 1), "features": 2}, id="no candle of its own"),
]


def products(tables: ColumnTables, weights: np.ndarray) -> np.ndarray:
    """The layer, position by position, in float64."""
    outputs = np.repeat(tables.bias[None].astype(np.float64), len(FRAMES), axis=0)
    for position in range(tables.shape[0]):
        for tap, offset in enumerate(tables.offsets):
            candle = tables.stride * position + offset
            if 0 <= candle < 200:
                outputs[:, position] += np.einsum("nrc,crf->nf", FRAMES[:, candle].astype(np.float64), weights[tap])
    return outputs


@pytest.mark.parametrize("options", LAYERS)
def test_look_ups_are_the_products_of_the_pixels(options: dict[str, Any]) -> None:
    tables = random_tables(**options)
    weights = np.random.default_rng(1).standard_normal((len(tables.offsets), 3, 150, tables.shape[1]))
    expected = products(tables, weights)
    np.testing.assert_allclose(tables.look_up(ROWS), expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(tables.multiply(FRAMES), expected, rtol=0, atol=1e-4)


def test_products_allow_frames_without_runs() -> None:
    frames = np.random.default_rng(0).integers(0, 2, (2, 200, 150, 3)).astype(np.uint8)
    weights = np.random.default_rng(1).standard_normal((1, 3, 150, 3))
    tables = random_tables()
    expected = tables.bias + np.einsum("nprc,crf->npf", frames.astype(np.float64), weights[0])
    np.testing.assert_allclose(tables.multiply(frames), expected, rtol=0, atol=1e-4)


def test_a_lookup_may_be_used_for_any_number_of_frames() -> None:
    tables = random_tables(offsets=(-1, 0, 1))
    look_up, expected = TableLookup(tables), tables.look_up(ROWS)
    for count in (3, 1, len(ROWS), 0, 2):
        np.testing.assert_array_equal(look_up(ROWS[:count], np.empty((count, 200, 3), np.float32)), expected[:count])


@pytest.mark.parametrize("options", LAYERS)
def test_stored_tables_are_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    tables = random_tables(**options)
    tables.save(tmp_path / "columns.npz")
    np.testing.assert_array_equal(ColumnTables.load(tmp_path / "columns.npz").look_up(ROWS), tables.look_up(ROWS))


def arrays() -> dict[str, Any]:
    tables = random_tables(offsets=(-1, 0))
    return {"tables": tables.tables, "bias": tables.bias, "offsets": tables.offsets, "stride": np.int32(1)}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"tables": arrays()["tables"][:1]}, id="fewer tables than offsets"),
        pytest.param({"tables": arrays()["tables"][:, :, :150]}, id="other geometry"),
        pytest.param({"tables": arrays()["tables"] * np.float32("nan")}, id="not a number"),
        pytest.param({"bias": arrays()["bias"] * np.float32("inf")}, id="infinite"),
        pytest.param({"bias": np.zeros((201, 3), np.float32)}, id="too many positions"),
        pytest.param({"bias": np.zeros(3, np.float32)}, id="too few axes"),
        pytest.param({"tables": arrays()["tables"].astype(np.float64)}, id="other type"),
        pytest.param({"offsets": np.array([0, 200], np.int32)}, id="offset beyond the window"),
        pytest.param({"stride": np.int32(0)}, id="no stride"),
        pytest.param({"stride": np.array([1, 2], np.int32)}, id="two strides"),
        pytest.param({"offsets": np.array([0, {}], object)}, id="pickled"),
        pytest.param({"bias": np.zeros((200, 90_000), np.float32)}, id="too large"),
        pytest.param({"stride": None}, id="missing"),
    ],
)
def test_rejects_invalid_tables(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "columns.npz"
    np.savez(path, **{name: array for name, array in {**arrays(), **change}.items() if array is not None})
    with pytest.raises(ModelError, match=r"columns\.npz"):
        ColumnTables.load(path)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04" + bytes(100)])
def test_rejects_files_without_arrays(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "columns.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"columns\.npz"):
        ColumnTables.load(path)
