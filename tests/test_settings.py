"""Settings: read from the environment, refused by name where they cannot be used."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import SettingsError
from core.settings import ROOT, DetectionOptions, PhotoLimits, Settings, load_settings
from scripts.maintenance.document_settings import PAGE, with_table
from tests.models.test_install import read_only


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.index_path == ROOT / "dataset" / "actor_index.npz"
    assert settings.cache_path == ROOT / "dataset" / "embeddings.json"
    assert settings.starter_path.is_file()


def test_every_field_is_read_from_its_variable() -> None:
    wanted = {
        "model_pack": "sface",
        "models_dir": Path("/m"),
        "dataset_dir": Path("/d"),
        "storage_dir": Path("/o"),
        "gallery": "me/actors",
        "index_file": Path("/i.npz"),
        "index": "milvus+tls://me:secret@milvus.example.org:443/faces",
        "cache_file": Path("/c.json"),
        "starter_file": Path("/s.json"),
        "removals_file": Path("/r.json"),
        "temp_dir": Path("/t"),
        "hub_timeout": 1.5,
        "max_megapixels": 12.5,
        "max_megabytes": 3.0,
        "detection_size": 320,
        "detection_limit": 2048,
        "detection_threshold": 0.6,
        "min_face": 30,
        "contact": "me@example.org",
        "wikidata_url": "http://127.0.0.1:1/sparql",
        "commons_url": "http://127.0.0.1:1/api.php",
        "threads": 3,
        "photo_seconds": 90,
        "top_k": 7,
        "public_url": "https://example.org/lookalike",
        "password": "open sesame",
        "calls_a_minute": 12,
        "trusted_proxies": "10.0.0.0/8,::1",
        "waiting": 20,
        "frames": "'self'",
        "metrics": True,
        "log": "json",
        "mcp": True,
        "lang": "ko",
    }
    assert set(wanted) == set(Settings.model_fields)  # none is forgotten here
    settings = load_settings({f"LOOKALIKE_{k.upper()}": str(v) for k, v in wanted.items()})
    assert {name: getattr(settings, name) for name in wanted} == wanted
    assert (settings.index_path, settings.cache_path) == (Path("/i.npz"), Path("/c.json"))


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_TOP_K", "9")
    assert load_settings().top_k == 9


def on_a_space(storage: Path, **more: str) -> Settings:
    return load_settings({"SPACE_ID": "me/x", "LOOKALIKE_STORAGE_DIR": str(storage), **more})


def test_on_a_space_models_and_gallery_are_kept_in_its_storage(tmp_path: Path) -> None:
    settings = on_a_space(tmp_path)
    assert settings.models_dir == tmp_path / "models"
    assert settings.index_path == tmp_path / "dataset" / "actor_index.npz"
    assert settings.cache_path == tmp_path / "dataset" / "embeddings.json"
    assert settings.starter_path == Settings().starter_path
    assert settings.removals_path == Settings().removals_path
    assert settings.temp_dir is None  # visitors' photos are not kept
    assert list(tmp_path.iterdir()) == []  # the trial leaves nothing


def test_what_is_set_by_name_stays_where_it_is_on_a_space(tmp_path: Path) -> None:
    settings = on_a_space(tmp_path, LOOKALIKE_MODELS_DIR="/m")
    assert (settings.models_dir, settings.dataset_dir) == (Path("/m"), tmp_path / "dataset")


def test_storage_is_for_spaces_and_only_where_there_is_some(tmp_path: Path) -> None:
    elsewhere = load_settings({"LOOKALIKE_STORAGE_DIR": str(tmp_path)})
    assert elsewhere == Settings(storage_dir=tmp_path)
    assert on_a_space(tmp_path / "none") == Settings(storage_dir=tmp_path / "none")


def test_storage_mounted_for_reading_is_told_and_left(
    tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    with read_only(tmp_path / "data"):
        assert on_a_space(tmp_path / "data") == Settings(storage_dir=tmp_path / "data")
    assert any("let it be mounted for writing" in line for line in logged.messages)


def test_storage_that_knows_no_locks_is_told_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert on_a_space(tmp_path) == Settings(storage_dir=tmp_path)
    assert any("not supported" in line for line in logged.messages)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["1", "true", "True", "ON"])
def test_a_switch_is_on_by_any_word_for_it(text: str) -> None:
    assert load_settings({"LOOKALIKE_MCP": text}).mcp is True


@pytest.mark.parametrize("text", ["0", "false", "False", "off", ""])
def test_a_switch_is_off_by_any_word_for_it_and_by_default(text: str) -> None:
    assert load_settings({"LOOKALIKE_MCP": text}).mcp is False
    assert Settings().mcp is False


def test_groups_of_settings_are_handed_on_whole() -> None:
    settings = Settings(
        max_megapixels=12.5,
        max_megabytes=3,
        detection_size=320,
        detection_limit=2048,
        detection_threshold=0.6,
        min_face=30,
    )
    assert settings.photo_limits == PhotoLimits(megapixels=12.5, megabytes=3)
    assert settings.detection == DetectionOptions(320, 2048, threshold=0.6, min_face=30)
    assert Settings().photo_limits == PhotoLimits()
    assert Settings().detection == DetectionOptions()


def test_names_of_the_actors_lie_beside_the_gallery_and_beside_the_starter_gallery() -> None:
    settings = Settings(dataset_dir=Path("/d"), starter_file=Path("/s/starter.json"))
    assert settings.people_path == Path("/d/actors.csv")
    assert settings.starter_people_path == Path("/s/starter_actors.csv")
    assert Settings().starter_people_path.is_file()


def test_other_variables_and_empty_ones_change_nothing() -> None:
    assert (
        load_settings({"TOP_K": "9", "LOOKALIKE_TOP_K": "", "LOOKALIKE_OTHER": "1"}) == Settings()
    )


def test_index_and_cache_lie_in_the_dataset_folder() -> None:
    settings = load_settings({"LOOKALIKE_DATASET_DIR": "/photos"})
    assert settings.index_path.parent == settings.cache_path.parent == Path("/photos")


def test_paths_are_absolute_and_know_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    environ = {"LOOKALIKE_DATASET_DIR": "photos", "LOOKALIKE_MODELS_DIR": "~/models"}
    settings = load_settings(environ)
    assert settings.dataset_dir == tmp_path / "photos"
    assert settings.models_dir == Path("/home/someone/models")


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("MODEL_PACK", "buffalo_l", "one of auto, auraface, sface"),
        ("LANG", "de", "one of en, ko"),
        ("HUB_TIMEOUT", "soon", "a number"),
        ("HUB_TIMEOUT", "0", "more than 0"),
        ("HUB_TIMEOUT", "nan", "more than 0"),
        ("MODELS_DIR", "~nobody-of-this-name/models", "a path"),
        ("MAX_MEGAPIXELS", "-1", "more than 0"),
        ("MAX_MEGAPIXELS", "200", "at most 178"),
        ("MAX_MEGABYTES", "0", "more than 0"),
        ("DETECTION_SIZE", "600", "a multiple of 32"),
        ("DETECTION_SIZE", "0", "a multiple of 32"),
        ("DETECTION_LIMIT", "-32", "a multiple of 32"),
        ("DETECTION_THRESHOLD", "1", "between 0 and 1"),
        ("DETECTION_THRESHOLD", "0", "between 0 and 1"),
        ("MIN_FACE", "0", "more than 0"),
        ("THREADS", "-1", "0 or more"),
        ("THREADS", "1.5", "a whole number"),
        ("PHOTO_SECONDS", "0", "more than 0"),
        ("TOP_K", "0", "more than 0"),
        ("TOP_K", "five", "a whole number"),
        ("INDEX", "localhost:19530", "milvus://host:port or milvus:/path/gallery.db"),
        ("INDEX", "milvus://host:99999", "milvus://host:port"),
        ("INDEX", "milvus:/gallery", "gallery.db"),
        ("DETECTION_SIZE", "999999968", "at most 4096"),
        ("DETECTION_LIMIT", "999999968", "a multiple of 32"),
        ("MAX_MEGABYTES", "inf", "at most 1e9"),
        ("PHOTO_SECONDS", "1" + "0" * 400, "at most 1e9"),
        ("TOP_K", "1" + "0" * 400, "at most 1e9"),
        ("INDEX_FILE", "/tmp/" + "x" * 300, "a path"),
        ("MODELS_DIR", "/tmp/" + "모" * 100, "a path"),
        ("FRAMES", "’self’", "a blank between, as in 'self' https://example.org"),
        ("FRAMES", "https://a.example\nX-Evil: 1", "a blank between"),
        ("FRAMES", "'self'; script-src *", "a blank between"),
        ("WIKIDATA_URL", "nonsense", "https://example.org/path"),
        ("COMMONS_URL", "ftp://commons.example.org", "https://example.org/path"),
        ("PUBLIC_URL", "https://", "https://example.org/path"),
        ("MCP", "yes please", "1 or 0"),
        ("MCP", "2", "1 or 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(
    name: str, value: str, remedy: str
) -> None:
    with pytest.raises(SettingsError, match=remedy) as refused:
        load_settings({f"LOOKALIKE_{name}": value})
    assert str(refused.value).startswith(f"LOOKALIKE_{name} is ")
    assert "\n" not in str(refused.value)


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"LOOKALIKE_INDEX": "milvus://me:sesame@host:0"})
    assert "sesame" not in str(refused.value)
    assert "host:0" in str(refused.value)


def test_settings_built_in_code_do_not_read_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOOKALIKE_TOP_K", "9")
    assert Settings().top_k == 5
    assert Settings(mcp=True).replaced(lang="ko").top_k == 5


def test_a_changed_copy_keeps_the_rest_and_is_checked() -> None:
    settings = Settings(lang="ko")
    assert settings.replaced(top_k=3) == Settings(lang="ko", top_k=3)
    with pytest.raises(SettingsError, match="LOOKALIKE_TOP_K is 0; set it to more than 0"):
        settings.replaced(top_k=0)
    with pytest.raises(TypeError, match="top_l"):
        settings.replaced(top_l=3)


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().top_k = 3  # type: ignore[misc]


def test_the_page_of_settings_has_the_table_as_it_is_now() -> None:
    page = PAGE.read_text("utf-8")
    assert page == with_table(page), "run python scripts/maintenance/document_settings.py"
