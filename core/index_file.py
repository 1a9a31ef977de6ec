"""The index on disk: one sealed .npz without pickle, whole or not there."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import IndexRefusedError
from core.files import new_file, sha256_of
from core.gallery.photos import Portrait
from core.index import ActorIndex, IndexInfo
from core.scoring import Calibration

SCHEMA = 2  # 2: portraits have landmarks and hashes of their crops
SEAL = 64  # the archive's comment: hex digits of the SHA-256 of all bytes before it
DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)


def save_index(index: ActorIndex, path: Path) -> None:
    """Write the index as one sealed .npz without pickle, by rename."""
    about = {
        "schema": SCHEMA,
        "info": vars(index.info),
        "actors": index.actors,
        "portraits": [portrait.to_json() for portrait in index.portraits],
    }
    arrays = {
        "about": np.frombuffer(json.dumps(about).encode(), dtype=np.uint8),
        "embeddings": index.embeddings,
        "portrait_actor": index.portrait_actor,
        "templates": index.templates,
        "template_actor": index.template_actor,
    }
    if index.calibration:
        scale = index.calibration
        arrays["calibration_similarities"] = scale.similarities
        arrays["calibration_ranks"] = scale.ranks
        arrays["calibration_moments"] = np.array([scale.mean, scale.deviation])
    archive = io.BytesIO()
    np.savez(archive, **arrays)  # type: ignore[arg-type]
    body = archive.getvalue()[:-2] + SEAL.to_bytes(2, "little")  # the comment's length comes last
    with new_file(path) as temporary:
        temporary.write_bytes(body + sha256_of(body).encode())


def load_index(path: Path) -> ActorIndex:
    """Read an index.

    Raises:
        IndexRefusedError: missing, damaged, or of another schema.
    """
    if not path.is_file():
        raise IndexRefusedError(f"{path} is not there; build it or name another file")
    try:
        data = path.read_bytes()
        if sha256_of(data[:-SEAL]).encode() != data[-SEAL:]:
            raise ValueError("its seal is broken")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        about = json.loads(arrays["about"].tobytes())
        if about["schema"] != SCHEMA:
            raise IndexRefusedError(
                f"{path} has schema {about['schema']}, this version reads {SCHEMA}; build it again"
            )
        return _index_from(about, arrays)
    except DAMAGE as error:
        raise IndexRefusedError(
            f"{path} is damaged or no index ({error}); delete it and build it again"
        ) from error


def _index_from(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ActorIndex:
    calibration = None
    if "calibration_moments" in arrays:
        mean, deviation = arrays["calibration_moments"].tolist()
        calibration = Calibration(
            arrays["calibration_similarities"],
            arrays["calibration_ranks"],
            mean,
            deviation,
            len(about["actors"]),
        )
    return ActorIndex(
        info=IndexInfo(**about["info"]),
        actors=tuple(about["actors"]),
        portraits=tuple(Portrait.from_json(entry) for entry in about["portraits"]),
        embeddings=arrays["embeddings"],
        portrait_actor=arrays["portrait_actor"],
        templates=arrays["templates"],
        template_actor=arrays["template_actor"],
        calibration=calibration,
    )
