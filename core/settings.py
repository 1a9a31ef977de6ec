"""Every setting in one frozen place, with defaults that work and the prefix `LOOKALIKE_`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from core.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
PACK_CHOICES = ("auto", "auraface", "sface")
LANGUAGES = ("en", "ko")
PILLOW_MEGAPIXELS = 178  # Pillow refuses larger pictures whatever the limit


@dataclass(frozen=True)
class Settings:
    """What an owner may change. Each field is read from `LOOKALIKE_<FIELD IN CAPITALS>`."""

    model_pack: str = "auto"  # auto | auraface | sface
    models_dir: Path = ROOT / "models"  # one folder per pack
    dataset_dir: Path = ROOT / "dataset"  # <Actor name>/*.jpg and credits.csv
    index_file: Path | None = None  # default: <dataset_dir>/actor_index.npz
    cache_file: Path | None = None  # default: <dataset_dir>/embeddings.json
    starter_file: Path | None = None  # default: dataset/starter_embeddings.json of the project
    removals_file: Path | None = None  # default: dataset/removals.json of the project
    pack_pins: Path | None = None  # JSON with other sizes and hashes than PACKS (a mirror, tests)
    temp_dir: Path | None = None  # visitors' photos; default: in the system's temporary folder
    hub_timeout: float = 3.0  # seconds the Hub is given to answer
    max_megapixels: float = 50.0  # largest photo, in 1,000,000 pixels
    max_megabytes: float = 20.0  # largest photo file, in 1,000,000 bytes
    detection_size: int = 640  # first detection: photo fitted into a square of this side, pixels
    detection_limit: int = 4032  # longest side of the second look at native size, pixels
    detection_threshold: float = 0.5  # least detection score, 0-1
    min_face: int = 20  # least side of a face's box, pixels: below, a crop says nothing
    contact: str = ""  # e-mail or page that Wikimedia may write to; needed to download portraits
    wikidata_url: str = "https://query.wikidata.org/sparql"
    commons_url: str = "https://commons.wikimedia.org/w/api.php"
    threads: int = 0  # per onnxruntime session; 0 = the CPU quota
    photo_seconds: int = 60  # age at which a visitor's photo is deleted
    top_k: int = 5  # matches per face
    public_url: str = ""  # where visitors reach the page, for previews of its link
    mcp: bool = False  # serve the API to language models too (Model Context Protocol)
    lang: str = "en"  # of the log: en | ko (the page follows the browser)

    @property
    def index_path(self) -> Path:
        """Where the index is kept."""
        return self.index_file or self.dataset_dir / "actor_index.npz"

    @property
    def cache_path(self) -> Path:
        """Where the embeddings cache is kept."""
        return self.cache_file or self.dataset_dir / "embeddings.json"

    @property
    def starter_path(self) -> Path:
        """The committed starter gallery: an embeddings cache without photos."""
        return self.starter_file or ROOT / "dataset" / "starter_embeddings.json"

    @property
    def people_path(self) -> Path:
        """Names, genders and countries of the gallery's actors."""
        return self.dataset_dir / "actors.csv"

    @property
    def starter_people_path(self) -> Path:
        """Those of the starter gallery, beside it."""
        return self.starter_path.with_name("starter_actors.csv")

    @property
    def removals_path(self) -> Path:
        """The committed list of people who asked not to be matched."""
        return self.removals_file or ROOT / "dataset" / "removals.json"

    def __post_init__(self) -> None:
        """Refuse values that no part of the program could use."""
        _require(self.model_pack in PACK_CHOICES, "model_pack", self.model_pack, PACK_CHOICES)
        _require(self.lang in LANGUAGES, "lang", self.lang, LANGUAGES)
        _require(
            0 < self.detection_threshold < 1,
            "detection_threshold",
            self.detection_threshold,
            "between 0 and 1",
        )
        for name in (
            "hub_timeout",
            "max_megapixels",
            "max_megabytes",
            "min_face",
            "photo_seconds",
            "top_k",
        ):
            _require(getattr(self, name) > 0, name, getattr(self, name), "more than 0")
        _require(
            self.max_megapixels <= PILLOW_MEGAPIXELS,
            "max_megapixels",
            self.max_megapixels,
            f"at most {PILLOW_MEGAPIXELS}",
        )
        _require(self.threads >= 0, "threads", self.threads, "0 or more")
        for name in ("detection_size", "detection_limit"):
            value = getattr(self, name)
            _require(value >= 32 and value % 32 == 0, name, value, "a multiple of 32")


def _require(holds: bool, field: str, value: object, wanted: object) -> None:
    if not holds:
        if isinstance(wanted, tuple):
            wanted = "one of " + ", ".join(wanted)
        raise SettingsError(f"LOOKALIKE_{field.upper()} is {value!r}; set it to {wanted}")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment.

    Raises:
        SettingsError: a value that cannot be read as its field's type, or is out of range.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, object] = {}
    for field in fields(Settings):
        text = environ.get(f"LOOKALIKE_{field.name.upper()}", "")
        if text:
            values[field.name] = _read(field.name, str(field.type), text)
    return Settings(**values)  # type: ignore[arg-type]


def _read(name: str, kind: str, text: str) -> object:
    readers: dict[str, Callable[[str], object]] = {"int": int, "float": float, "str": str}
    if kind.startswith("Path"):
        return Path(text).expanduser().absolute()
    if kind == "bool":
        return _read_switch(name, text)
    try:
        return readers[kind](text)
    except ValueError:
        number = "a whole number" if kind == "int" else "a number"
        raise SettingsError(f"LOOKALIKE_{name.upper()} is {text!r}; set it to {number}") from None


def _read_switch(name: str, text: str) -> bool:
    words = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
    if text.lower() not in words:
        raise SettingsError(f"LOOKALIKE_{name.upper()} is {text!r}; set it to 1 or 0")
    return words[text.lower()]
