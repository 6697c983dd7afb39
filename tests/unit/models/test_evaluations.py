import json
from typing import Any

import pytest

from coinfarm.errors import Conflict, ModelError
from coinfarm.models.evaluations import read_evaluations, store_evaluation
from coinfarm.storage import Storage
from tests.support.evaluation_documents import evaluation_json
from tests.support.live_predictions import evaluation_with_reference

VERSION = "20260101-11111111"


def test_stores_the_document_unchanged(storage: Storage) -> None:
    document = evaluation_json(VERSION, byMonth={"2019-05": [1, None]})
    record = store_evaluation(storage, VERSION, document)
    (key,) = storage.list(f"versions/{VERSION}/evaluations/")
    assert key.startswith(f"versions/{VERSION}/evaluations/2019-05-01--2019-07-01-")
    assert json.loads(storage.read(key).data) == document
    assert read_evaluations(storage, VERSION) == [record]
    assert read_evaluations(storage, "20260101-00000000") == []


def test_the_first_evaluation_under_the_same_conditions_stays(storage: Storage) -> None:
    first = store_evaluation(storage, VERSION, evaluation_json(VERSION, 0.1))
    assert store_evaluation(storage, VERSION, evaluation_json(VERSION, 0.1004)) == first
    for other in (evaluation_json(VERSION, 0.2), evaluation_json(VERSION, 0.1, frames=26_173)):
        with pytest.raises(Conflict, match=f"{first.conditions}.json"):
            store_evaluation(storage, VERSION, other)
    assert read_evaluations(storage, VERSION) == [first]


def test_an_evaluation_gets_the_reference_that_its_stored_form_lacks(storage: Storage) -> None:
    store_evaluation(storage, VERSION, evaluation_json(VERSION, 0.1))
    complete = evaluation_with_reference([0.1, None], VERSION, interval=None, horizonCandles=None)
    document = complete.model_dump(mode="json", by_alias=True)
    assert store_evaluation(storage, VERSION, document) == complete
    assert store_evaluation(storage, VERSION, evaluation_json(VERSION, 0.1)) == complete
    assert read_evaluations(storage, VERSION) == [complete]


def test_accepts_an_evaluation_of_the_keras_file_that_was_published(storage: Storage) -> None:
    store_evaluation(storage, VERSION, evaluation_json("bare-11111111"))
    assert [record.model.version for record in read_evaluations(storage, VERSION)] == ["bare-11111111"]


@pytest.mark.parametrize(
    ("document", "named"),
    [
        pytest.param(evaluation_json("20260101-00000000"), f"20260101-00000000, not of {VERSION}", id="of another model"),
        pytest.param(evaluation_json(VERSION, includesInSample=True), "--include-in-sample", id="with in-sample windows"),
        pytest.param(evaluation_json(VERSION, frames=0), "frames", id="invalid"),
    ],
)
def test_rejects_what_versions_must_not_be_compared_by(storage: Storage, document: dict[str, Any], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        store_evaluation(storage, VERSION, document)
    assert list(storage.list()) == []


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000])
def test_names_a_damaged_file(storage: Storage, data: bytes) -> None:
    storage.write(f"versions/{VERSION}/evaluations/2019-05-01--2019-07-01-00000000.json", data)
    with pytest.raises(ModelError, match=r"2019-05-01--2019-07-01-00000000.json"):
        read_evaluations(storage, VERSION)
