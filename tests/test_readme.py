"""README.ko.md is the README in Korean: same sections, commands, code, links, tables, figures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest

from tests.conftest import ROOT

ENGLISH, KOREAN = "README.md", "README.ko.md"
BLOCK = re.compile(
    r"""(?P<fence>^```.*?\n```$)
    |(?P<heading>^\#+\ [^\n]+)
    |(?P<comment>^<!--.*?-->$)
    |(?P<row>^\|[^\n]*)
    |(?P<item>^-\ [^\n]+(?:\n\ [^\n]+)*)
    |(?P<text>^[^\n]+(?:\n[^\n]+)*)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)
HANGUL = re.compile("[가-힣]")
CODE_SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>")
SHELL_COMMENT = re.compile(r"(\s)[ \t]*#\s.*")  # may be translated
THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u2009\u202f](?=\d{3}(?!\d))")
NUMBER = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading of any level."""

    heading: str  # with its #
    blocks: tuple[tuple[str, str], ...]  # kind (a group of BLOCK) and source

    def of(self, *kinds: str) -> list[str]:
        return [source for kind, source in self.blocks if kind in kinds]

    @property
    def prose(self) -> str:
        return "\n".join([self.heading, *self.of("text", "item", "row")])


@cache
def sections_of(name: str) -> list[Section]:
    """The parts of a README, without the front matter that Spaces reads in the English one."""
    source = (ROOT / name).read_text("utf-8")
    if name == ENGLISH:
        source = re.sub(r"\A---\n.*?\n---\n", "", source, flags=re.DOTALL)
    parts: list[tuple[str, list[tuple[str, str]]]] = []
    for found in BLOCK.finditer(source):
        kind = str(found.lastgroup)
        if kind == "heading":
            parts.append((found[0], []))
        else:
            assert parts, f"{name} has text before its title"
            parts[-1][1].append((kind, found[0]))
    return [Section(heading, tuple(blocks)) for heading, blocks in parts]


def assert_same(measure: Callable[[Section], list[str]]) -> None:
    """Fails with what only one of the two READMEs has, section by section."""
    told = []
    for english, korean in zip(sections_of(ENGLISH), sections_of(KOREAN), strict=False):
        ours, theirs = Counter(measure(english)), Counter(measure(korean))
        for name, only in ((ENGLISH, ours - theirs), (KOREAN, theirs - ours)):
            if only:
                told.append(f"{english.heading!r}: only {name} has {list(only.elements())}")
    assert not told, "\n" + "\n".join(told)


def in_order(items: list[str]) -> list[str]:
    """Items with their places, so that their order counts too."""
    return [f"{place}. {item}" for place, item in enumerate(items, start=1)]


def spans(source: str) -> list[str]:
    """Inline code; a line may break within it."""
    return [" ".join(span.split()) for span in CODE_SPAN.findall(source)]


def code(section: Section) -> list[str]:
    """Fenced blocks with their language, shell comments reduced to their #."""
    return [
        SHELL_COMMENT.sub(r"\1#", block) if block.startswith("```bash") else block
        for block in section.of("fence")
    ]


def links(section: Section) -> list[str]:
    """Link and picture targets; each README's link to the other counts as the same."""
    targets = ["".join(found) for found in LINK.findall(section.prose)]
    return ["the other README" if target in (ENGLISH, KOREAN) else target for target in targets]


def rows(section: Section) -> list[str]:
    """A table row as its number of columns and its inline code."""
    cells = [row.strip("|").split("|") for row in section.of("row")]
    return [f"{len(row)} columns, {sorted(spans(' '.join(row)))}" for row in cells]


def numbers(section: Section) -> list[str]:
    """Figures of the whole section, comments in commands included."""
    source = "\n".join([section.heading, *(source for _, source in section.blocks)])
    return NUMBER.findall(THOUSANDS.sub("", source))


def shape(section: Section) -> list[str]:
    """Kinds of the blocks in their order, with the marks that tests look for."""
    return [source if kind == "comment" else kind for kind, source in section.blocks]


def test_headings_have_the_same_levels_in_the_same_order() -> None:
    pairs = zip_longest(
        (section.heading for section in sections_of(ENGLISH)),
        (section.heading for section in sections_of(KOREAN)),
        fillvalue="(none)",
    )
    for english, korean in pairs:
        same_level = english.split(" ")[0] == korean.split(" ")[0]
        assert same_level, f"{english!r} of {ENGLISH} stands against {korean!r} of {KOREAN}"


def test_headings_and_paragraphs_are_in_korean_except_a_name_as_heading() -> None:
    names = {part.heading for part in sections_of(ENGLISH) if len(part.heading.split()) == 2}
    for section in sections_of(KOREAN):
        for source in {section.heading, *section.of("text", "item")} - names:
            assert HANGUL.search(source), f"{section.heading!r}: not in Korean: {source}"


def test_paragraphs_lists_tables_code_and_marks_stand_in_the_same_order() -> None:
    assert_same(lambda section: in_order(shape(section)))


def test_commands_and_code_are_the_same() -> None:
    assert_same(lambda section: in_order(code(section)))


def test_inline_code_is_the_same() -> None:
    assert_same(lambda section: spans(section.prose))


def test_links_and_pictures_are_the_same() -> None:
    assert_same(links)


def test_tables_have_the_same_rows_and_columns() -> None:
    assert_same(lambda section: in_order(rows(section)))


def test_figures_are_the_same() -> None:
    assert_same(numbers)


def test_the_table_of_what_to_edit_names_a_place_for_every_module() -> None:
    (corridor,) = (part for part in sections_of(ENGLISH) if part.heading == "## The corridor")
    places = [ROOT / span for row in corridor.of("row") for span in spans(row)]
    assert all(place.exists() for place in places), places
    sources = [*ROOT.glob("core/**/*.py"), *ROOT.glob("scripts/**/*.py"), ROOT / "app.py"]
    modules = [path for path in sources if path.read_text("utf-8").strip()]
    missing = [path for path in modules if not any(path.is_relative_to(place) for place in places)]
    assert missing == [ROOT / "core" / "__init__.py"]  # its one line says what core is
