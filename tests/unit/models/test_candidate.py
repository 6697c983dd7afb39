import json
from pathlib import Path
from typing import Any

import pytest

from coinfarm.errors import ModelError
from coinfarm.models.bundle import Bundle
from coinfarm.models.candidate import Interface, bundle_to_publish, read_return_maps
from coinfarm.models.manifest import Output
from coinfarm.outputs import OUTPUT_NAMES
from tests.support.fake_models import create_bundle
from tests.support.keras_archives import functional_config, write_keras_archive

RISE, DECLINE, END = OUTPUT_NAMES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "created"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("interface", "outputs"),
    [
        (Interface(), [Output(name=name) for name in OUTPUT_NAMES]),
        (Interface(unit="window_range"), [Output(name=name, unit="window_range") for name in OUTPUT_NAMES]),
        (Interface(unit="fraction"), [Output(name=name, factor=100) for name in OUTPUT_NAMES]),
        (Interface(outputs="end,-decline,rise"), [Output(name=END), Output(name=DECLINE, factor=-1), Output(name=RISE)]),
        (
            Interface(return_maps={RISE: (0.0, 1.0)}),
            [Output(name=RISE, return_map=(0, 1), probabilities=True), Output(name=DECLINE), Output(name=END)],
        ),
        (
            Interface(return_maps={RISE: (0.0, 1.0)}, is_class_index=True),
            [Output(name=RISE, return_map=(0, 1)), Output(name=DECLINE), Output(name=END)],
        ),
        (
            Interface(outputs="rise,-decline,end", unit="fraction"),
            [Output(name=RISE, factor=100), Output(name=DECLINE, factor=-100), Output(name=END, factor=100)],
        ),
    ],
)
def test_an_archive_becomes_a_bundle_with_the_given_interface(
    interface: Interface, outputs: list[Output], tmp_path: Path, folder: Path
) -> None:
    bundle = bundle_to_publish(write_keras_archive(tmp_path / "mine.keras"), folder, interface=interface)
    assert Bundle.open(folder) == bundle
    assert bundle.manifest.name == "mine"
    assert list(bundle.manifest.outputs) == outputs


def test_named_heads_need_no_option_and_the_inputs_are_in_the_manifest(tmp_path: Path, folder: Path) -> None:
    path = write_keras_archive(tmp_path / "mine.h5", functional_config("end", "maxRise", "decline"))
    interface = Interface(layout=("-rows", "candles", "channels"), pixels=(0, 255))
    (member,) = bundle_to_publish(path, folder, name="other", interface=interface).manifest.members
    assert member.outputs == (END, RISE, DECLINE)
    assert (member.layout, member.pixels) == (("-rows", "candles", "channels"), (0, 255))


def test_members_are_one_model(tmp_path: Path, folder: Path) -> None:
    for name in ("a", "b"):
        write_keras_archive(tmp_path / f"{name}.keras", content=name)
    bundle = bundle_to_publish(None, folder, members=[f"end={tmp_path}/a.keras", f"rise,-decline={tmp_path}/b.keras"])
    assert [output.name for output in bundle.manifest.outputs] == [END, RISE, DECLINE]
    assert [len(member.outputs) for member in bundle.manifest.members] == [1, 2]
    assert bundle.manifest.outputs[2].factor == -1
    assert Bundle.open(folder) == bundle


@pytest.mark.parametrize(
    "members",
    [["rise=a.keras"], ["a.keras"], ["rise=a.keras", "rise=a.keras", "end=a.keras"], ["rise,decline,end,up=a.keras"], ["x=a.keras"]],
)
def test_members_that_are_no_model_are_an_error(members: list[str], tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_keras_archive(Path("a.keras"))
    with pytest.raises(ModelError):
        bundle_to_publish(None, folder, members=members)


def test_a_bundle_has_its_own_interface(tmp_path: Path, folder: Path) -> None:
    bundle = create_bundle(tmp_path / "bundle")
    assert bundle_to_publish(bundle.folder, folder) == bundle
    for options in ({"name": "other"}, {"interface": Interface(unit="window_range")}):
        with pytest.raises(ModelError, match="manifest"):
            bundle_to_publish(bundle.folder, folder, **options)


def test_an_archive_beside_its_manifest_is_that_bundle(tmp_path: Path, folder: Path) -> None:
    write_keras_archive(tmp_path / "bundle/model.keras")
    outputs = tuple(Output(name=name, unit="window_range") for name in OUTPUT_NAMES)
    bundle = Bundle.create(tmp_path / "bundle", name="trained", outputs=outputs)
    assert bundle_to_publish(tmp_path / "bundle/model.keras", folder) == bundle
    write_keras_archive(tmp_path / "bundle/model.keras", content="replaced")
    with pytest.raises(ModelError, match=r"model\.keras"):
        bundle_to_publish(tmp_path / "bundle/model.keras", folder)


def test_one_model_or_members_but_not_both(tmp_path: Path, folder: Path) -> None:
    path = write_keras_archive(tmp_path / "a.keras")
    for source, members in ((None, []), (path, [f"rise={path}"])):
        with pytest.raises(ModelError, match="--member"):
            bundle_to_publish(source, folder, members=members)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([-1, 0, 1.5], dict.fromkeys(OUTPUT_NAMES, (-1.0, 0.0, 1.5))),
        ({"rise": [0, 1], "max_decline": [-1, 0], "end": [-1, 1]}, {RISE: (0.0, 1.0), DECLINE: (-1.0, 0.0), END: (-1.0, 1.0)}),
    ],
)
def test_reads_return_maps(document: Any, expected: dict[str, tuple[float, ...]], tmp_path: Path, folder: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps(document))
    maps = read_return_maps(tmp_path / "map.json")
    assert maps == expected
    outputs = bundle_to_publish(write_keras_archive(tmp_path / "a.keras"), folder, interface=Interface(return_maps=maps)).manifest.outputs
    assert [(output.return_map, output.probabilities) for output in outputs] == [(expected[name], True) for name in OUTPUT_NAMES]


@pytest.mark.parametrize("text", ["", "[1]", "[1, true]", '{"x": [1, 2]}', '{"rise": 3}', '[1, "2"]', "3", "null"])
def test_rejects_other_return_maps(text: str, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(text)
    with pytest.raises(ModelError, match=r"map\.json"):
        read_return_maps(tmp_path / "map.json")
    with pytest.raises(ModelError, match="missing"):
        read_return_maps(tmp_path / "missing.json")
