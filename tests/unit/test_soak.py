"""`make soak`: that it would notice. The whole of it, for seconds: tests/integration/test_soak.py."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks.soak import load
from benchmarks.soak.backfill import _POISON, Outcome, _Care
from benchmarks.soak.load import Answered, arrivals
from benchmarks.soak.mix import MIN_WINDOWS, Ask, Mix, Verdict
from benchmarks.soak.moves import Move, strays, taken_up_s
from benchmarks.soak.serving import MIN_TREND_S, Plan, Served
from benchmarks.soak.versions import reference_bundle, scaled
from benchmarks.soak.vitals import Vitals, trend
from coinfarm.backfill.coverage import WindowCounts
from coinfarm.engines.loading import load_engine
from coinfarm.outputs import OUTPUT_NAMES
from image_render.draw import draw_frames
from image_render.windows import Columns, windows
from tests.support.synthetic_candles import minutes

PROBLEM = "application/problem+json"


def test_requests_are_due_by_chance_at_the_rate_and_alike_for_a_seed() -> None:
    due = list(arrivals(30, 600, seed=1))
    assert due == sorted(due) == list(arrivals(30, 600, seed=1))
    assert 0 < due[0] < due[-1] < 600
    assert len(due) == pytest.approx(30 * 600, rel=0.03)


def test_a_slow_answer_counts_for_all_that_had_to_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten are due within 50 ms; the first takes 200 ms, on the one connection there is."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2 if request.url.path == "/slow" else 0)
        return httpx.Response(200)

    def client(**options: Any) -> httpx.AsyncClient:
        return original(**options | {"transport": httpx.MockTransport(answer)})

    original = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", client)
    asks = iter([Ask("slow", "GET", "/slow"), *[Ask("quick", "GET", "/quick")] * 9])
    due = (at * 0.005 for at in range(10))
    answers = asyncio.run(load.send("http://server", lambda: next(asks), lambda *_: Verdict(None, None), due, connections=1))
    assert min(answer.latency_ms for answer in answers) > 150
    assert max(answer.ended_s - answer.sent_s for answer in answers if answer.kind == "quick") < 0.1, "of itself each was quick"


def test_a_connection_that_breaks_is_a_request_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody listens")

    original = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: original(**options | {"transport": httpx.MockTransport(refuse)}))
    (answer,) = asyncio.run(
        load.send("http://server", lambda: Ask("health", "GET", "/health"), lambda *_: Verdict(None, None), iter([0.0]), 1)
    )
    assert answer.fault == "health: ConnectError('nobody listens')"


@pytest.fixture(scope="module")
def mix() -> Mix:
    """Over two versions, which answer each frame with its number, and with twice that."""
    numbers = np.arange(MIN_WINDOWS, dtype=float)[:, None] * np.ones(3)
    return Mix(minutes(MIN_WINDOWS + 199), {"one": numbers, "two": 2 * numbers}, seed=1)


def predictions(version: str, *values: float) -> bytes:
    results = [{"predictions": dict.fromkeys(OUTPUT_NAMES, value)} for value in values]
    return json.dumps({"model": {"version": version}, "results": results}).encode()


PAIR = Ask("two frames", "POST", "/predictions", first=7, frames=2)
BAD = Ask("bad request", "POST", "/predictions", status=422)


@pytest.mark.parametrize(
    ("ask", "status", "media_type", "body", "fault"),
    [
        pytest.param(PAIR, 200, "", predictions("one", 7, 8), None, id="a version's own"),
        pytest.param(PAIR, 200, "", predictions("two", 14, 16), None, id="another version's own"),
        pytest.param(PAIR, 200, "", predictions("two", 7, 8), "8.00000 off what two predicts", id="one version's under another's name"),
        pytest.param(PAIR, 200, "", predictions("one", 7, 16), "8.00000 off what one predicts", id="two versions in one answer"),
        pytest.param(PAIR, 200, "", predictions("one", 7, float("nan")), "nan off what one predicts", id="no number"),
        pytest.param(PAIR, 200, "", predictions("one", 7), "1 predictions for 2 frames", id="too few"),
        pytest.param(PAIR, 200, "", predictions("six", 7, 8), "nobody published six", id="an unknown version"),
        pytest.param(PAIR, 500, PROBLEM, b"{}", "500 in the place of 200", id="an error"),
        pytest.param(BAD, 422, PROBLEM, b"{}", None, id="a bad request, refused"),
        pytest.param(BAD, 200, "", predictions("one", 7), "200 in the place of 422", id="a bad request, answered"),
        pytest.param(BAD, 422, "text/html", b"no", "text/html in the place of a problem", id="a bad request, refused in another way"),
        pytest.param(Ask("model", "GET", "/model"), 200, "", b'{"version": "two"}', None, id="the model"),
        pytest.param(Ask("model", "GET", "/model"), 200, "", b'{"version": "six"}', "nobody published six", id="an unknown model"),
        pytest.param(Ask("health", "GET", "/health"), 200, "", b'{"status": "ill"}', "answers", id="not well"),
    ],
)
def test_an_answer_that_is_not_the_one_is_told(mix: Mix, ask: Ask, status: int, media_type: str, body: bytes, fault: str | None) -> None:
    found = mix.judge(ask, status, media_type, body).fault
    assert found is None if fault is None else found is not None and fault in found


def test_every_kind_of_request_is_drawn(mix: Mix) -> None:
    drawn = [mix.draw() for _ in range(500)]
    assert {ask.kind for ask in drawn} == {"one frame", "batch of 100 frames", "npz of 8 frames", "model", "health", "bad request"}
    assert {ask.status for ask in drawn} == {200, 400, 404, 413, 415, 422}


MOVES = [
    Move("one", "promote", float("-inf"), float("-inf")),
    Move("two", "promote", 100, 101),
    Move("one", "rollback", 200, 201),
]


def answered(version: str | None, sent_s: float, ended_s: float) -> Answered:
    return Answered("one frame", sent_s, sent_s, ended_s, version, None)


@pytest.mark.parametrize(
    ("answer", "is_stray"),
    [
        pytest.param(answered("one", 50, 51), False, id="what serves"),
        pytest.param(answered("two", 50, 51), True, id="before its time"),
        pytest.param(answered("one", 102, 103), False, id="the one before, within the refresh"),
        pytest.param(answered("one", 107, 108), True, id="the one before, long after"),
        pytest.param(answered("two", 99, 100.5), False, id="taken up while it is promoted"),
        pytest.param(answered("two", 203, 204), False, id="rolled back a moment ago"),
        pytest.param(answered("two", 250, 251), True, id="rolled back long ago"),
        pytest.param(answered("one", 250, 251), False, id="back in service"),
        pytest.param(answered(None, 250, 251), False, id="an answer that names none"),
    ],
)
def test_a_version_may_answer_only_in_its_time(answer: Answered, is_stray: bool) -> None:
    assert strays(MOVES, [answer], patience_s=5) == [answer] * is_stray


def test_a_version_that_is_never_taken_up_is_told() -> None:
    answers = [answered("one", 99, 100.5), answered("two", 102, 103.5), answered("two", 104, 105), answered("two", 300, 301)]
    assert taken_up_s(MOVES, answers) == [2.5, None]


SECONDS = np.arange(600.0)


@pytest.mark.parametrize(
    ("memory_mb", "growth"),
    [
        pytest.param(np.full(600, 200.0), 0, id="flat"),
        pytest.param(200 + np.minimum(SECONDS, 200) / 10, 0, id="filling in the first third"),
        pytest.param(200 + 50 * (SECONDS % 60 > 40), 0, id="more while a model loads"),
        pytest.param(200 + SECONDS / 10, 40, id="a leak"),
        pytest.param(200 + SECONDS // 60 * 10 + 50 * (SECONDS % 60 > 40), 70, id="a leak with each model"),
    ],
)
def test_memory_that_grows_is_told_from_memory_that_breathes(memory_mb: Any, growth: float) -> None:
    assert trend(list(SECONDS), list(memory_mb)).growth == pytest.approx(growth, abs=15)


def served(**changes: Any) -> Served:
    vitals = [Vitals(at, 200.0, 10, 12, at / 2) for at in SECONDS]
    answers = [answered("one", 50, 51), answered("two", 102, 103), answered("one", 202, 203)]
    seen = Served(Plan(600, 30, 2, 12_000, 1), "openvino-int8", answers, MOVES, vitals)
    return replace(seen, **changes)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param({}, [], id="all is well"),
        pytest.param({"answers": [replace(answer, fault="500") for answer in served().answers]}, ["no request fails"], id="failures"),
        pytest.param({"answers": [*served().answers, answered("two", 300, 301)]}, ["no version answers before"], id="a stray"),
        pytest.param({"answers": served().answers[:2]}, ["a promoted version is taken up"], id="a version that nobody saw"),
        pytest.param({"vitals": [replace(each, rss_mb=200 + each.at_s) for each in served().vitals]}, ["memory grows"], id="a leak"),
        pytest.param(
            {"vitals": [replace(each, threads=int(each.at_s)) for each in served().vitals]}, ["no more than 2 threads"], id="threads"
        ),
        pytest.param(
            {"vitals": [replace(each, files=int(each.at_s)) for each in served().vitals]}, ["no more than 2 open files"], id="open files"
        ),
    ],
)
def test_a_broken_promise_of_the_server_is_told(changes: dict[str, Any], broken: list[str]) -> None:
    found = [promise.text for promise in served(**changes).promises() if not promise.kept]
    assert len(found) == len(broken)
    assert all(text.startswith(start) for text, start in zip(found, broken, strict=True))


def test_a_short_time_tells_nothing_of_memory() -> None:
    short = served(plan=replace(served().plan, duration_s=MIN_TREND_S - 1))
    assert [promise.text for promise in short.promises() if "memory" in promise.text or "threads" in promise.text] == []


OUTCOME = Outcome(
    shards=40,
    seconds=20.0,
    peace_s=5.0,
    kills=4,
    longest_life_s=1.0,
    ended_by_themselves=[],
    exit_codes=[0, 0],
    counts=WindowCounts(requested=5_760, predicted=5_760),
    rows=5_760,
    max_rows_of_a_window=1,
    missing=0,
    differing=[],
    strangers=[],
    failure_notes=0,
    rewritten=3,
    rewritten_otherwise=0,
    redelivered=9,
    good_dead_letters=0,
    redrives=0,
    lost=0,
    left_in_queue=0,
    dead_letters=list(_POISON),
)


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        pytest.param({}, [], id="all is well"),
        pytest.param({"good_dead_letters": 2, "redrives": 1}, [], id="good dead letters that were moved back"),
        pytest.param({"missing": 1}, ["every window is predicted, once"], id="a shard is missing"),
        pytest.param({"max_rows_of_a_window": 2}, ["every window is predicted, once"], id="a window twice"),
        pytest.param({"rows": 5_616}, ["every window is predicted, once"], id="rows are missing"),
        pytest.param({"differing": ["predictions/x"]}, ["every result equals"], id="another result"),
        pytest.param({"rewritten_otherwise": 1}, ["what was written twice"], id="two results of one shard"),
        pytest.param({"strangers": ["predictions/.x.tmp"]}, ["nothing is left half-written"], id="half a file"),
        pytest.param({"lost": 1}, ["no shard is lost"], id="a shard is lost"),
        pytest.param({"dead_letters": [*_POISON, "{}"]}, ["only poison rests"], id="a good dead letter is left"),
        pytest.param({"dead_letters": list(_POISON[1:])}, ["only poison rests"], id="poison that passed"),
        pytest.param({"left_in_queue": 1}, ["only poison rests"], id="a message is left"),
        pytest.param({"exit_codes": [0, 1]}, ["workers end when"], id="a worker that ends badly"),
        pytest.param({"ended_by_themselves": ["worker-1"]}, ["workers end when"], id="a worker that gives up"),
    ],
)
def test_a_broken_promise_of_the_backfill_is_told(changes: dict[str, Any], broken: list[str]) -> None:
    found = [promise.text for promise in replace(OUTCOME, **changes).promises() if not promise.kept]
    assert len(found) == len(broken)
    assert all(text.startswith(start) for text, start in zip(found, broken, strict=True))


@pytest.mark.parametrize(
    ("dead_lettered", "command", "counted"),
    [
        pytest.param(len(_POISON) + 2, "redrive", {"redrives": 1, "good_dead_letters": 2, "lost": 0}, id="good dead letters"),
        pytest.param(len(_POISON), "resume", {"redrives": 0, "good_dead_letters": 0, "lost": 2}, id="lost messages"),
    ],
)
def test_what_stands_still_is_helped_on_and_counted(
    dead_lettered: int, command: str, counted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, ...]] = []

    def lines(*words: str) -> Iterator[str]:
        called.append(words)
        yield "done"

    idle = SimpleNamespace(is_complete=False, is_idle=True, done=38, shards=40, dead_lettered=dead_lettered)
    done = SimpleNamespace(is_complete=True, is_idle=False, done=40, shards=40, dead_lettered=len(_POISON))
    looks = SimpleNamespace(status=lambda: done if called else idle)
    monkeypatch.setattr("benchmarks.soak.backfill.StatusMonitor", lambda *_: looks)
    monkeypatch.setattr("benchmarks.soak.backfill._LOOK_EVERY_S", 0)
    run = SimpleNamespace(storage=SimpleNamespace(uri=lambda: "s3://results/fire"))
    nobody: Any = SimpleNamespace(tend=lambda: None)
    stage: Any = SimpleNamespace(output_lines=lines)
    care = _Care(stage, run, SimpleNamespace(), SimpleNamespace(), nobody, lambda *_: None)  # type: ignore[arg-type]
    care.until_done(time.monotonic())
    assert called == [("backfill", command, "--run", "s3://results/fire")]
    assert {name: getattr(care, name) for name in counted} == counted


def test_what_never_ends_is_given_up_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = SimpleNamespace(is_complete=False, is_idle=False, done=38, shards=40, dead_lettered=0)
    monkeypatch.setattr("benchmarks.soak.backfill.StatusMonitor", lambda *_: SimpleNamespace(status=lambda: stuck))
    nothing: Any = SimpleNamespace()
    assert _Care(nothing, nothing, nothing, nothing, nothing, lambda *_: None).until_done(time.monotonic() - 1_300) >= 1_300


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return scaled(reference_bundle(), tmp_path_factory.mktemp("models") / "doubled", 2.0)


@pytest.mark.parametrize(
    "engine",
    ["auto", pytest.param("keras", marks=pytest.mark.tensorflow)],
)
def test_a_scaled_version_is_another_that_answers_in_proportion(engine: Any, doubled: Any) -> None:
    reference = reference_bundle()
    assert doubled.manifest.version != reference.manifest.version
    frames = draw_frames(Columns(*(column[:8] for column in windows(minutes(210).columns))))
    answers = [load_engine(bundle, engine, 8).predict(frames) for bundle in (reference, doubled)]
    np.testing.assert_allclose(answers[1], 2 * answers[0], rtol=1e-4)
