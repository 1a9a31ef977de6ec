"""The API's endpoints, which are the tools of the MCP server too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from core.answer_json import actors_json, answer_json, health_json
from core.errors import SettingsError
from core.faces.engine import usable_cpus
from core.gallery.people import GENDERS, Filter
from core.json_forms import ActorJson, AnswerJson, HealthJson, NoAnswerJson
from core.json_schema import schema_of
from core.lookalike import LookalikeFinder
from core.page.api_words import ABOUT, ARGUMENTS, EXAMPLES, SCHEMAS
from core.page.mcp import prepare_mcp
from core.page.photo_input import photo_input

MATCHING = {"concurrency_limit": usable_cpus(), "concurrency_id": "matching"}  # with the page's


def add_api(finder: LookalikeFinder) -> None:
    """`/match`, `/actors` and `/health`.

    Raises:
        SettingsError: language models are to be served, and the package for it is missing.
    """
    if finder.settings.mcp:
        prepare_mcp()

    def match(
        photo: str | None, top_k: float | None, gender: str | None, country: str | None
    ) -> AnswerJson | NoAnswerJson:
        if photo is None:
            raise _refused("no photo was sent; send one as a file, an address or base64")
        if top_k is not None and top_k < 1:
            raise _refused(f"top_k is {top_k:g}; set it to 1 or more")
        answer = answer_json(
            finder, photo, int(top_k) if top_k else None, _filter(finder, gender, country)
        )
        answer["photo"] = Path(photo).name
        return answer

    def actors(gender: str | None, country: str | None) -> list[ActorJson]:
        return actors_json(finder, _filter(finder, gender, country))

    def health() -> HealthJson:
        return health_json(finder)

    with gr.Row(visible=False):
        photo = photo_input(label="photo")
        _explain_fetching(photo)
        top_k = gr.Number(finder.settings.top_k, precision=0, label="top_k")
        inputs = {"photo": photo, "top_k": top_k, **_filters()}
        _endpoint(match, inputs, AnswerJson | NoAnswerJson, **MATCHING)
        _endpoint(actors, _filters(), list[ActorJson])
        _endpoint(health, {}, HealthJson)


def wanted_filter(finder: LookalikeFinder, gender: str, country: str) -> Filter:
    """A filter that this gallery can apply.

    Args:
        gender: "women", "men" or "".
        country: ISO 3166 code in capitals or not, or "".

    Raises:
        SettingsError: the gallery has none such.
    """
    gender, country = gender.strip().lower(), country.strip().upper()
    people, actors = finder.people, finder.index.actors
    if gender and gender not in GENDERS:
        raise SettingsError(f"gender is {gender!r}; set it to women or men, or leave it empty")
    if gender and not people.among(Filter(gender), actors):
        raise SettingsError(f"gender is {gender!r}; this gallery names none of its actors so")
    if country and not people.among(Filter("", country), actors):
        known = ", ".join(sorted(set(_countries(finder)))) or "no countries at all"
        raise SettingsError(f"country is {country!r}; this gallery knows {known}")
    return Filter(gender, country)


def _filter(finder: LookalikeFinder, gender: str | None, country: str | None) -> Filter:
    try:
        return wanted_filter(finder, gender or "", country or "")
    except SettingsError as error:
        raise _refused(str(error)) from error


def _countries(finder: LookalikeFinder) -> list[str]:
    entries = (finder.people.entries.get(actor) for actor in finder.index.actors)
    return [code for entry in entries if entry for code in entry.country.split()]


def _refused(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)


def _filters() -> dict[str, gr.Textbox]:
    return {name: gr.Textbox("", label=name) for name in ("gender", "country")}


def _endpoint(
    answer: Callable[..., Any],
    inputs: Mapping[str, gr.components.Component],
    result: Any,
    **options: Any,
) -> None:
    """Real components, so that Gradio checks what it is sent; typed and described for callers.

    The MCP server reads the arguments' words from the docstring, the API's page from the schema.
    """
    name = answer.__name__
    lines = [
        ABOUT[name],
        "Args:",
        *(f"    {argument}: {ARGUMENTS[argument]}" for argument in inputs),
    ]
    answer.__doc__ = "\n".join(lines)
    for argument, component in inputs.items():
        schema = {**component.api_info(), **SCHEMAS[argument]}
        _describe(component, schema, EXAMPLES[argument])
    output = gr.JSON(label="answer")
    _describe(output, schema_of(result), None)
    gr.Button().click(
        answer, list(inputs.values()), output, api_name=name, api_description=ABOUT[name], **options
    )


def _describe(component: gr.components.Component, schema: dict[str, Any], example: Any) -> None:
    """The instance is changed: for a subclass Gradio writes a .pyi file beside the source."""
    component.api_info = lambda: schema  # type: ignore[method-assign]
    component.example_inputs = lambda: example  # type: ignore[method-assign]


def _explain_fetching(photo: gr.Image) -> None:
    """Tell why a photo's address gave none, without the address in the log."""
    fetch = photo.async_move_resource_to_block_cache

    async def fetch_or_refuse(source: str | Path | None) -> str | None:
        try:
            return await fetch(source)
        except Exception as error:
            raise _refused(
                "the photo cannot be fetched from its address; use one that anybody can reach,"
                " or send the picture itself"
            ) from error

    photo.async_move_resource_to_block_cache = fetch_or_refuse  # type: ignore[assignment,method-assign]
