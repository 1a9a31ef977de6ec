"""The committed details of the starter gallery's actors: complete, well-formed, right."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from core.gallery.people import ActorEntry, read_actors, write_actors
from core.gallery.removals import load_removals
from core.index.embeddings_cache import load_cache
from core.settings import Settings
from tests.conftest import ROOT

STARTER_ACTORS = ROOT / "dataset" / "starter_actors.csv"
GENDERS = {"female", "male", "non-binary", ""}
# Hangul words, with an initial as the Korean press writes it: "J.K. 시몬스", "존 C. 맥긴리".
WORD = r"(?:[가-힣]+(?:·[가-힣]+)*|[0-9]+|(?:[A-Z]\.)+)"
# ISO 3166-1 alpha-2, all officially assigned codes (2026).
COUNTRIES = """\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
ZW
"""


@pytest.fixture(scope="module")
def rows() -> list[ActorEntry]:
    found = list(read_actors(STARTER_ACTORS).values())
    assert found
    return found


def test_every_starter_actor_has_one_row_and_nobody_else_has() -> None:
    lines = STARTER_ACTORS.read_text("utf-8").splitlines()
    rows = read_actors(STARTER_ACTORS)
    assert set(rows) == set(load_cache(Settings().starter_path).actors)
    assert len(lines) == 1 + len(rows)  # no folder twice, of which the last would win


def test_the_file_is_as_the_app_would_write_it(rows: list[ActorEntry], tmp_path: Path) -> None:
    write_actors(tmp_path / "again.csv", rows)
    assert STARTER_ACTORS.read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_texts_are_trimmed_and_composed_and_the_folder_is_the_name(rows: list[ActorEntry]) -> None:
    """But for the dots and apostrophes that some folders lack."""
    marks = str.maketrans("", "", ".'")
    for row in rows:
        assert row.folder.translate(marks) == row.name.translate(marks)
        texts = [getattr(row, field.name) for field in fields(row) if field.name != "names"]
        for text in [*texts, *row.names.values()]:
            assert text == unicodedata.normalize("NFC", " ".join(text.split())), row


def test_korean_names_are_in_hangul_and_each_is_one_persons(rows: list[ActorEntry]) -> None:
    names = [row.names["ko"] for row in rows if row.names]
    assert len(names) >= 0.98 * len(rows)
    assert [name for name in names if not re.fullmatch(f"{WORD}(?: {WORD})*", name)] == []
    assert [name for name in names if not re.search("[가-힣]", name)] == []
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_years_genders_and_countries_are_of_their_kind(rows: list[ActorEntry]) -> None:
    assert [row for row in rows if not re.fullmatch(r"19\d\d|20[01]\d|", row.birth_year)] == []
    assert {row.gender for row in rows} <= GENDERS
    for row in rows:
        codes = row.country.split()
        assert codes == sorted(set(codes)), row  # the order that core/download/wikidata.py gives
        assert set(codes) <= set(COUNTRIES.split()), row
    assert {row.wikidata for row in rows} == {""}


def test_nearly_every_actor_has_a_year_a_gender_and_a_country(rows: list[ActorEntry]) -> None:
    for column in ("birth_year", "gender", "country"):
        assert sum(1 for row in rows if getattr(row, column)) >= 0.98 * len(rows), column


@pytest.mark.parametrize(
    ("name", "name_ko", "birth_year", "gender", "country"),
    [
        ("Brad Pitt", "브래드 피트", "1963", "male", "US"),
        ("Scarlett Johansson", "스칼렛 요한슨", "1984", "female", "US"),
        ("Elliot Page", "엘리엇 페이지", "1987", "male", "CA"),
        ("J.K. Simmons", "J.K. 시몬스", "1955", "male", "US"),
        ("Emily Blunt", "에밀리 블런트", "1983", "female", "GB US"),
        ("Kim Mu-yeol", "김무열", "1982", "male", "KR"),
        ("Han Ye-seul", "한예슬", "1981", "female", "KR"),
        ("Ahn Bo-hyun", "안보현", "1988", "male", "KR"),
        ("Ma Dong-seok", "마동석", "1971", "male", "US"),
        ("Shah Rukh Khan", "샤룩 칸", "1965", "male", "IN"),
        ("Jacqueline Fernandez", "재클린 페르난데스", "1985", "female", "LK"),
    ],
)
def test_well_known_actors_are_described_rightly(
    name: str, name_ko: str, birth_year: str, gender: str, country: str
) -> None:
    known = ActorEntry(
        name, name, {"ko": name_ko} if name_ko else {}, "", birth_year, gender, country
    )
    assert read_actors(STARTER_ACTORS)[name] == known


def test_names_that_men_and_women_bear_have_the_right_gender() -> None:
    rows = read_actors(STARTER_ACTORS)
    women = "Blake Lively,Drew Barrymore,Jorja Fox,Kim Dickens,Lin Shaye,Rene Russo,Robin Tunney"
    men = "Common,Jamie Bell,Jean Reno,Judge Reinhold,Kim Mu-yeol,Robin Williams,Rory Cochrane"
    assert {rows[name].gender for name in women.split(",")} == {"female"}
    assert {rows[name].gender for name in men.split(",")} == {"male"}


def test_nobody_who_was_taken_out_has_a_row(rows: list[ActorEntry]) -> None:
    removals = load_removals(Settings().removals_path)
    names = {name for row in rows for name in (row.folder, row.name, *row.names.values())} - {""}
    assert [name for name in names if name in removals] == []
