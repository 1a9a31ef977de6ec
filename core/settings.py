"""Every setting in one frozen table, with defaults that work and the prefix `LOOKALIKE_`."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.errors import SettingsError
from core.languages import LANGUAGES
from core.log import log

ROOT = Path(__file__).resolve().parent.parent
PACK_CHOICES = ("auto", "auraface", "sface")
LOG_FORMS = ("text", "json")
PILLOW_MEGAPIXELS = 178  # Pillow refuses larger pictures whatever the limit
SPACE = "SPACE_ID"  # set on a Hugging Face Space
# As the Hub allows names: letters, digits, "_" and, between them, "-" and ".", of which no two
# stand in a row; none ends like a repository of git.
REPO = re.compile(r"(?!.*(--|\.\.|\.git$))\w([\w.-]{0,94}\w)?/\w([\w.-]{0,94}\w)?", re.ASCII)
LONGEST_NAME = 255  # bytes, of a file or folder on every usual system
# Sources as a Content-Security-Policy has them, which is a header of every answer.
SITES = re.compile(r"{0}( {0})*".format(r"('self'|'none'|[!#-&(-+.-:<-~-]+)"))
WEB = re.compile(r"https?://[^\s/?#]+(/\S*)?")
WHO = re.compile(r"//[^/]*@")  # user and password in an address, which nobody is told
# A server, with user and database if need be, or a file of milvus-lite (core/index/milvus/).
MILVUS = re.compile(r"milvus(\+tls)?://([^/@]+@)?[^/@:]+(:\d{1,5})?(/\w+)?|milvus:(?!//).+\.db")


def _one_of(choices: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(choices)
        return value

    return AfterValidator(check)


def _networks(value: str) -> str:
    parts = [part.strip() for part in value.split(",")]
    for part in parts:
        ip_network(part, strict=False)
    return ",".join(parts)


def _like(pattern: re.Pattern[str], *, address: bool = False) -> AfterValidator:
    """Empty, or as the pattern says; of an address the port too is looked at."""

    def check(value: str) -> str:
        fits = not value or (
            pattern.fullmatch(value) and not (address and urlsplit(value).port == 0)
        )
        if not fits:
            raise ValueError(value)
        return value

    return AfterValidator(check)


def _absolute(path: Path) -> Path:
    if any(len(os.fsencode(part)) > LONGEST_NAME for part in path.parts):
        raise ValueError(path)
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:  # `~name` of nobody
        raise ValueError(path) from error


# A type, its limits, and how a sentence names what is wanted.
Pack = Annotated[str, _one_of(PACK_CHOICES), f"one of {', '.join(PACK_CHOICES)}"]
Language = Annotated[str, _one_of(LANGUAGES), f"one of {', '.join(LANGUAGES)}"]
LogForm = Annotated[str, _one_of(LOG_FORMS), f"one of {', '.join(LOG_FORMS)}"]
Place = Annotated[Path, AfterValidator(_absolute)]
Proxies = Annotated[
    str, AfterValidator(_networks), "addresses or networks such as 10.0.0.0/8, with commas between"
]
Repository = Annotated[str, _like(REPO), "owner/name, as in its address on the Hub"]
Milvus = Annotated[
    str,
    _like(MILVUS, address=True),
    "milvus://host:port or milvus:/path/gallery.db, or leave it empty for a file (.npz)",
]
Web = Annotated[str, _like(WEB, address=True), "an address such as https://example.org/path"]
Sites = Annotated[str, _like(SITES), "sites with a blank between, as in 'self' https://example.org"]
Positive = Annotated[float, Field(gt=0, le=1e9), "more than 0, at most 1e9"]
Count = Annotated[int, Field(gt=0, le=10**9), "more than 0, at most 1e9"]
Share = Annotated[float, Field(gt=0, lt=1), "between 0 and 1"]
# A look at a square of the largest side takes 0.8 GB; beyond it a photo is looked at in parts.
Side = Annotated[int, Field(ge=32, le=4096, multiple_of=32), "a multiple of 32, at most 4096"]
LongSide = Annotated[int, Field(ge=32, le=32_768, multiple_of=32), "a multiple of 32"]
Threads = Annotated[int, Field(ge=0, le=10**9), "0 or more, at most 1e9"]
Megapixels = Annotated[
    float,
    Field(gt=0, le=PILLOW_MEGAPIXELS),
    f"more than 0 and at most {PILLOW_MEGAPIXELS}",
]
# What is wanted where the text is not even of the field's type, by pydantic's name of the fault.
WANTED_TYPES = {
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "1 or 0",
}


@dataclass(frozen=True)
class PhotoLimits:
    """The largest photo that is read."""

    megapixels: float = 50.0  # 1,000,000 pixels
    megabytes: float = 20.0  # 1,000,000 bytes of the file


@dataclass(frozen=True)
class DetectionOptions:
    """How faces are looked for."""

    size: int = 640  # first detection: the photo fitted into a square of this side, pixels
    limit: int = 4032  # longest side at which small faces are looked for, pixels
    threshold: float = 0.5  # least detection score, 0-1
    min_face: int = 20  # least side of a face's box, pixels


class Settings(BaseSettings):
    """What an owner may change. Built in code it is what the code says; see `load_settings`.

    Raises:
        SettingsError: a value of another type, or one that no part of the program could use.
    """

    model_config = SettingsConfigDict(env_prefix="LOOKALIKE_", frozen=True, protected_namespaces=())

    model_pack: Pack = Field(
        default="auto",
        description="`auraface` or `sface`: a pack named here and not to be had is an error",
    )
    models_dir: Place = Field(default=ROOT / "models", description="the packs, a folder each")
    dataset_dir: Place = Field(
        default=ROOT / "dataset", description="the gallery: `<Actor name>/*.jpg`, `credits.csv`"
    )
    storage_dir: Place = Field(
        default=Path("/data"),
        description="on a Hugging Face Space: models and gallery are kept in here, where it can be"
        " written, and outlive a restart",
    )
    gallery: Repository = Field(
        default="",
        description="a dataset repository on the Hub, `owner/name`: an empty dataset folder is"
        " filled from it at the start",
    )
    index_file: Place | None = Field(
        default=None, description="the index; else `actor_index.npz` in the dataset folder"
    )
    index: Milvus = Field(
        default="",
        repr=False,
        description="the index in Milvus instead: `milvus://host:port` a server's,"
        " `milvus:/path/gallery.db` a file's of milvus-lite; see `docs/scaling.md`",
    )
    cache_file: Place | None = Field(
        default=None, description="the embeddings; else `embeddings.json` in the dataset folder"
    )
    starter_file: Place | None = Field(
        default=None, description="the starter gallery; else `dataset/starter_embeddings.json`"
    )
    removals_file: Place | None = Field(
        default=None, description="who is not to be matched; else `dataset/removals.json`"
    )
    temp_dir: Place | None = Field(
        default=None,
        description="where the folder of visitors' photos is made; else the system's choice",
    )
    hub_timeout: Positive = Field(
        default=3.0, description="seconds the Hugging Face Hub is given to answer"
    )
    max_megapixels: Megapixels = Field(
        default=PhotoLimits.megapixels, description="largest photo, in 1,000,000 pixels"
    )
    max_megabytes: Positive = Field(
        default=PhotoLimits.megabytes, description="largest photo file, in 1,000,000 bytes"
    )
    detection_size: Side = Field(
        default=DetectionOptions.size,
        description="a photo is first fitted into a square of this side, pixels",
    )
    detection_limit: LongSide = Field(
        default=DetectionOptions.limit,
        description="longest side at which small faces are looked for, pixels",
    )
    detection_threshold: Share = Field(
        default=DetectionOptions.threshold, description="least detection score, 0–1"
    )
    min_face: Count = Field(
        default=DetectionOptions.min_face,
        description="least side of a face's box, pixels: a smaller one says nothing",
    )
    contact: str = Field(
        default="", description="e-mail or page for Wikimedia; needed by `download_dataset.py`"
    )
    wikidata_url: Web = Field(
        default="https://query.wikidata.org/sparql",
        description="Wikidata's query service, or a mirror of it",
    )
    commons_url: Web = Field(
        default="https://commons.wikimedia.org/w/api.php", description="Wikimedia Commons' API"
    )
    threads: Threads = Field(default=0, description="networks run at once; 0: the CPU quota")
    photo_seconds: Count = Field(
        default=60, description="how long a visitor's photo may lie in the temporary folder"
    )
    top_k: Count = Field(default=5, description="matches a face")
    public_url: Web = Field(
        default="", description="where visitors reach the page, for previews of its link"
    )
    password: str = Field(
        default="",
        repr=False,
        description="what visitors and callers must know, with any user name (HTTP Basic); over"
        " https only; `/health` is open to all",
    )
    calls_a_minute: Threads = Field(
        default=0,
        description="photos matched a minute for one address, by `/match` or the page, others get"
        " status 429; 0: no limit",
    )
    trusted_proxies: Proxies = Field(
        default="127.0.0.1,::1",
        description="addresses or networks of proxies, whose `X-Forwarded-For` is believed",
    )
    waiting: Count = Field(
        default=100,
        description="photos that may wait their turn; others are told that the server is busy",
    )
    frames: Sites = Field(
        default="",
        description="sites that may show the page in a frame, such as `'self' https://example.org`;"
        " else every site",
    )
    metrics: bool = Field(
        default=False,
        description="1: `/metrics` for Prometheus, to whoever may see the page",
    )
    log: LogForm = Field(
        default=LOG_FORMS[0],
        description="`text`: lines for people; `json`: an object a line, with time and level",
    )
    mcp: bool = Field(
        default=False,
        description='1: serve the API to language models too; needs `pip install "gradio[mcp]"`',
    )
    lang: Language = Field(
        default=LANGUAGES[0],
        description=f"of the log: {' or '.join(f'`{code}`' for code in LANGUAGES)};"
        " the page follows the browser or `?lang=`",
    )

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

    @property
    def photo_limits(self) -> PhotoLimits:
        """What `read_photo` takes."""
        return PhotoLimits(self.max_megapixels, self.max_megabytes)

    @property
    def detection(self) -> DetectionOptions:
        """What a face engine takes."""
        return DetectionOptions(
            self.detection_size, self.detection_limit, self.detection_threshold, self.min_face
        )

    def replaced(self, **changes: Any) -> Settings:
        """A copy with some values changed.

        Raises:
            SettingsError: a value that cannot be used.
        """
        return Settings(**(dict(self) | changes))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the code says: the environment is read by `load_settings` alone."""
        return (init_settings,)

    @model_validator(mode="wrap")
    @classmethod
    def _refused_in_one_sentence(
        cls, values: Any, handler: ModelWrapValidatorHandler[Settings]
    ) -> Settings:
        try:
            return handler(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            if name not in cls.model_fields:
                raise TypeError(f"there is no setting {name}") from error
            raise SettingsError(
                f"LOOKALIKE_{name.upper()} is {WHO.sub('//…@', repr(first['input']))}; set it to"
                f" {_wanted(name, first['type'])}"
            ) from error


def _wanted(name: str, fault: str) -> str:
    words = [entry for entry in Settings.model_fields[name].metadata if isinstance(entry, str)]
    return WANTED_TYPES.get(fault) or (words[0] if words else "a path")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; an empty variable counts as not set.

    On a Space, models and gallery that nothing else is said of are kept in its storage.

    Raises:
        SettingsError: a value that cannot be read as its field's type, or is out of range.
    """
    environ = os.environ if environ is None else environ
    source = EnvSettingsSource(Settings, env_ignore_empty=True)
    source.env_vars = {name.lower(): text for name, text in environ.items() if text}
    given = source()
    settings = Settings(**given)
    kept = _in_storage(settings.storage_dir) if environ.get(SPACE) else {}
    missing = {name: path for name, path in kept.items() if name not in given}
    return settings.replaced(**missing) if missing else settings


def _in_storage(storage: Path) -> dict[str, Path]:
    """Where models and gallery are kept in a Space's storage; nothing where there is none."""
    if not storage.is_dir():
        return {}
    try:
        _try_out(storage)
    except OSError as error:
        log.warning(
            "%s cannot be used (%s), and models and gallery are made anew at each start; let it be"
            " mounted for writing, or set LOOKALIKE_STORAGE_DIR to another place",
            storage,
            error,
        )
        return {}
    return {"models_dir": storage / "models", "dataset_dir": storage / "dataset"}


def _try_out(storage: Path) -> None:
    """Do there what models and gallery need: a mounted bucket may be able to do less than a disk.

    Raises:
        OSError: it cannot be written, or a folder not be renamed, or a file not be locked.
    """
    from filelock import FileLock

    with tempfile.TemporaryDirectory(prefix=".lookalike-", dir=storage) as place:
        made = Path(place) / "made"
        made.mkdir()
        (made / "file").write_bytes(b"1")
        made.rename(made.with_name("renamed"))
        with FileLock(Path(place) / ".lock"):
            pass
