import os
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from coinfarm.compilation.forms import F32
from coinfarm.engines import openvino_graph
from coinfarm.engines.loading import load_engine
from coinfarm.engines.openvino import OpenVinoEngine
from coinfarm.engines.openvino_graph import _Request
from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from image_render.render import render_frames
from image_render.windows import windows
from tests.support.compiled_models import channel_means, channel_means_graph, compiled_bundle
from tests.support.synthetic_candles import minutes

FRAMES = render_frames(windows(minutes(310).columns))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return compiled_bundle(tmp_path_factory.mktemp("models") / "f32", F32)


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> OpenVinoEngine:
    return OpenVinoEngine(bundle, F32)


@pytest.mark.parametrize("number", [0, 1, 3, 4, 5, 8, 101])
def test_predicts_any_number_of_frames_in_order(engine: OpenVinoEngine, number: int) -> None:
    outputs = engine.predict(FRAMES[:number])
    assert (outputs.dtype, outputs.shape) == (np.float32, (number, 3))
    np.testing.assert_allclose(outputs, channel_means(FRAMES[:number]), rtol=1e-5)


def test_accepts_any_memory_layout(engine: OpenVinoEngine) -> None:
    other_layout = np.ascontiguousarray(FRAMES[:9])
    other_layout.flags.writeable = False
    np.testing.assert_array_equal(engine.predict(other_layout), engine.predict(FRAMES[:9]))
    np.testing.assert_array_equal(engine.predict(FRAMES[:18:2]), engine.predict(FRAMES[:18])[::2])


def test_outputs_do_not_change_with_the_next_call(engine: OpenVinoEngine) -> None:
    first = engine.predict(FRAMES[:5])
    copy = first.copy()
    engine.predict(FRAMES[50:55])
    np.testing.assert_array_equal(first, copy)


def test_threads_get_their_own_outputs(engine: OpenVinoEngine) -> None:
    parts = [slice(at, at + 1 + at % 9) for at in range(100)]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda part: engine.predict(FRAMES[part]), parts))
    for part, outputs in zip(parts, results, strict=True):
        np.testing.assert_allclose(outputs, channel_means(FRAMES[part]), rtol=1e-5)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_a_thread_stays_free_to_change_the_core_while_it_predicts_a_frame(engine: OpenVinoEngine) -> None:
    with ThreadPoolExecutor(1) as thread:
        thread_id = thread.submit(threading.get_native_id).result()
        predicting = thread.submit(lambda: [engine.predict(FRAMES[:1]) for _ in range(1000)])
        cores = set()
        while not predicting.done():
            cores.add(frozenset(os.sched_getaffinity(thread_id)))
    assert cores == {frozenset(os.sched_getaffinity(0))}


def test_pending_batches_can_be_read_in_any_order(engine: OpenVinoEngine) -> None:
    parts = [FRAMES[at : at + 9 + at % 5] for at in range(0, 100, 20)]
    pending = [engine.start(part) for part in parts]
    for part, outputs in reversed(list(zip(parts, pending, strict=True))):
        np.testing.assert_allclose(outputs(), channel_means(part), rtol=1e-5)


def test_a_failed_chunk_fails_only_its_own_batch(bundle: Bundle) -> None:
    engine = OpenVinoEngine(bundle, F32)
    (first, *_) = engine._graph._requests
    request, waits = first._request, count(1)

    def fail_second_wait() -> None:
        request.wait()
        if next(waits) == 2:
            raise RuntimeError("device lost")

    failing = SimpleNamespace(start_async=request.start_async, wait=fail_second_wait, get_output_tensor=request.get_output_tensor)
    engine._graph._requests = deque([_Request(failing, first._buffer)])
    pending = [engine.start(FRAMES[at : at + 4]) for at in range(0, 12, 4)]
    np.testing.assert_allclose(pending[0](), channel_means(FRAMES[:4]), rtol=1e-5)
    with pytest.raises(RuntimeError, match="device lost"):
        pending[1]()
    np.testing.assert_allclose(pending[2](), channel_means(FRAMES[8:12]), rtol=1e-5)


def test_rejects_invalid_graph_files(tmp_path: Path) -> None:
    bundle = compiled_bundle(tmp_path / "broken", F32)
    (bundle.folder / F32.file).write_text("<net")
    with pytest.raises(ModelError, match=r"compiled/wide\.xml"):
        OpenVinoEngine(bundle, F32)


@pytest.mark.parametrize(
    ("element_type", "outputs", "found"),
    [pytest.param("f32", 3, "f32", id="float input"), pytest.param("u8", 2, r"\(1, 2\)", id="too few outputs")],
)
def test_rejects_other_inputs_and_outputs(element_type: str, outputs: int, found: str, tmp_path: Path) -> None:
    graph = channel_means_graph(element_type=element_type, outputs=outputs)
    with pytest.raises(ModelError, match=found):
        OpenVinoEngine(compiled_bundle(tmp_path / "other", F32, graph=graph), F32)


def test_loads_no_tensorflow_converter_or_telemetry(bundle: Bundle) -> None:
    script = f"""
import sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from coinfarm.engines.loading import load_engine
from coinfarm.models.bundle import Bundle
engine = load_engine(Bundle.open(Path({str(bundle.folder)!r})), "auto", 100)
assert engine.predict(np.zeros((5, 200, 150, 3), np.uint8)).shape == (5, 3)
loaded = [name for name in sys.modules if sys.modules[name] is not None]
print([name for name in loaded if name.startswith(("tensorflow", "keras", "openvino_telemetry", "openvino.tools", "nncf"))])
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("threads", [1, 2])
def test_runs_on_as_many_threads_as_it_is_told(bundle: Bundle, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    compiled = []
    compile_graph = openvino_graph._compiled
    monkeypatch.setattr(openvino_graph, "_compiled", lambda *details: compiled.append(compile_graph(*details)) or compiled[-1])
    engine = load_engine(bundle, "auto", 100, threads)
    np.testing.assert_allclose(engine.predict(FRAMES[:9]), channel_means(FRAMES[:9]), rtol=1e-5)
    assert [each.get_property("INFERENCE_NUM_THREADS") for each in compiled] == [threads] * 2
    assert not any(each.get_property("ENABLE_CPU_PINNING") for each in compiled), "every process with a limit would choose the same cores"
