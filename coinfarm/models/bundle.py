"""A model bundle in a local folder: a manifest, and files that were checked against it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from coinfarm.documents import translate_validation_errors
from coinfarm.errors import ModelError, system_error_text
from coinfarm.models.compiled_form import CompiledForms
from coinfarm.models.manifest import MODEL_FILE, FileDigest, FrameGeometry, LayerSummary, Manifest, Member, Output
from coinfarm.models.model_file import check_is_keras_archive
from coinfarm.models.network_config import read_network_config
from coinfarm.models.output_names import outputs_by_name
from coinfarm.models.training_data import TrainingData
from coinfarm.models.version import MANIFEST_FILE, fingerprint_of
from coinfarm.outputs import OUTPUT_NAMES

_PERCENT = tuple(Output(name=name) for name in OUTPUT_NAMES)


@dataclass(frozen=True)
class Bundle:
    """All files listed in the manifest are in `folder` and match their sha256."""

    manifest: Manifest
    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "Bundle":
        """The bundle in a folder; raises `ModelError` if a file is missing or damaged, or if the model needs frames of another geometry."""
        path = folder / MANIFEST_FILE
        try:
            manifest = Manifest.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise ModelError(system_error_text(error)) from error
        manifest.check_geometry()
        for name, expected in manifest.files.items():
            if digest_of(folder / name) != expected:
                raise ModelError(
                    f"{folder / name} is not the file that its manifest describes: restore it, or publish an intact copy again"
                )
        return cls(manifest, folder)

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str,
        outputs: tuple[Output, ...] = _PERCENT,
        members: tuple[Member, ...] | None = None,
        horizon_candles: int = 30,
        training: TrainingData | None = None,
        metrics: Mapping[str, JsonValue] | None = None,
        architecture: tuple[LayerSummary, ...] | None = None,
    ) -> "Bundle":
        """Write the manifest that makes the files in a folder a new version, dated today, for the current frame geometry.

        Without `members`, `model.keras` gives all outputs. Raises `ModelError` if the files cannot be a bundle.
        """
        members = members or (Member(file=MODEL_FILE, outputs=tuple(output.name for output in outputs)),)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST_FILE]
        created_at = datetime.now(UTC)
        with translate_validation_errors(str(folder), ModelError):
            files = {path.relative_to(folder).as_posix(): digest_of(path) for path in paths}
            fingerprint = fingerprint_of([files[member.file].sha256 for member in members if member.file in files])
            manifest = Manifest(
                name=name,
                version=f"{created_at:%Y%m%d}-{fingerprint}",
                created_at=created_at,
                frame=FrameGeometry.current(),
                horizon_candles=horizon_candles,
                outputs=outputs,
                members=members,
                files=files,
                training=training,
                metrics=None if metrics is None else dict(metrics),
                architecture=architecture,
            )
        (folder / MANIFEST_FILE).write_bytes(manifest.to_json())
        return cls(manifest, folder)

    def with_engines(self, engines: CompiledForms) -> "Bundle":
        """The same version with these compiled forms, whose files are in the folder already; writes the manifest."""
        replaced = self.manifest.engines.files
        files = {name: digest for name, digest in self.manifest.files.items() if name not in replaced}
        files |= {name: digest_of(self.folder / name) for name in engines.files}
        with translate_validation_errors(str(self.folder), ModelError):
            # not model_copy, which does not validate
            manifest = Manifest(**{**dict(self.manifest), "files": files, "engines": engines})
        (self.folder / MANIFEST_FILE).write_bytes(manifest.to_json())
        return Bundle(manifest, self.folder)

    @classmethod
    def from_keras_file(cls, path: Path, name: str, where: str | None = None) -> "Bundle":
        """The bundle of a Keras file without a manifest: outputs in percent, by their names in the file, the current frame geometry.

        `where` is the place that errors name, if it is not the path.
        Raises `ModelError` if it is no Keras archive, or if the names of its outputs do not say which is which.
        """
        check_is_keras_archive(path, where or str(path))
        names = outputs_by_name(read_network_config(path).outputs, where or str(path))
        digest = digest_of(path)
        with translate_validation_errors(str(path), ModelError):
            manifest = Manifest(
                name=name,
                version=keras_file_version(digest.sha256),
                frame=FrameGeometry.current(),
                outputs=tuple(Output(name=output) for output in names),
                members=(Member(file=path.name, outputs=names),),
                files={path.name: digest},
            )
        return cls(manifest, path.parent)


def keras_file_version(sha256: str) -> str:
    """The version of a Keras file that was not published: it is bare, without a manifest."""
    return f"bare-{fingerprint_of([sha256])}"


def digest_of(path: Path) -> FileDigest:
    """The sha256 and the size of a file; raises `ModelError` if it cannot be read."""
    try:
        with path.open("rb") as file, translate_validation_errors(str(path), ModelError):
            return FileDigest(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=file.tell())
    except OSError as error:
        raise ModelError(system_error_text(error)) from error
