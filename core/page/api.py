"""The API's endpoints, which are the tools of the MCP server too.

What the API says of itself, to programmers and to language models; in English only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from core.answer import (
    ActorJson,
    AnswerJson,
    HealthJson,
    NoAnswerJson,
    actors_json,
    answer_json,
    health_json,
    schema_of,
)
from core.errors import SettingsError
from core.gallery.people import Filter
from core.lookalike import LookalikeFinder
from core.page.arguments import ENDPOINTS, checked
from core.page.gradio_patches import describe, explain_fetching, photo_input, prepare_mcp
from core.page.language import check_filter, read_filter

MATCH = (
    "Which actors of this app's gallery does each face in a photo look like? Returns the closest"
    " actors, best first, for every face, the likely subject of the photo first."
    " It is for fun: a match is a resemblance, never an identification, and says nothing of who"
    " the person in the photo is, nor of their age, gender, origin or character. Do not use it to"
    " find out or confirm who somebody is. The photo is matched in memory, and its file is"
    " deleted soon after."
    " Result: `photo` (file name), `pack` (face model), `faces`: each with `box` (x1, y1, x2, y2"
    " in pixels), `detection_score` (0-1), `matches`, `verdict` and `tips`. A match has `actor`"
    " (in the gallery), `name` (English), `name_ko` (Korean or null), `names` (by language),"
    " `similarity` (cosine, -1 to 1), `score`, `portrait` (the gallery's file or null) and `credit`"
    " (author, licence, licence_url and source of the portrait, to be named where it is"
    " shown, or null) and `parts` (null unless asked for: shares of `eyes`, `nose`, `mouth` and"
    " `shape` in the likeness, `clear`, and `told`: the one or two that stand out)."
    " A score of 83 says: more alike than 83 % of the five lookalikes that each of the gallery's"
    " actors would get among the others; it is not a probability, and null in a gallery of fewer"
    " than three actors."
    " The verdict is about the first match: `share` (its score, rounded down), `same_photo` (the"
    " portrait is this very photo), `same_person` (strangers hardly ever come so close),"
    " `close_race` (the second is as good as level: name both), `rough` (a small gallery)."
    " `tips` are codes of what a better photo would change."
    " A photo without an answer has `error` in the place of `faces`, with `code` (no_face,"
    " unreadable or too_large) and `message`."
)
ACTORS = (
    "The actors that this app's gallery can match, by name; all of them, or those that pass a"
    " filter. Result: a list, each with `actor`, `name` (English), `name_ko` (Korean or null),"
    " `names` (by language), `gender` (women, men or null: which filter finds the actor),"
    " `country` (list of ISO 3166 codes) and `portraits` (photos the actor was enrolled with)."
    " Gender and country are the gallery's own data, not guessed from a face."
    " The whole list may be long; use the filters."
)
HEALTH = (
    "Is the app ready, and what does it run on? Result: `status` (ok), `pack` (face model),"
    " `warning` (why this is not the wished one, or null), `gallery` (gallery or starter:"
    " what the index was made from), `actors` and `portraits` (how many), `built` (when, UTC)."
)
ABOUT = {"match": MATCH, "actors": ACTORS, "health": HEALTH}
ARGUMENTS = {
    "photo": "The photo, with at least one face seen from the front: a public http(s) address of a"
    " picture, or its bytes as data:image/jpeg;base64,...; an address that only the server's own"
    " network reaches is refused.",
    "top_k": "How many actors for each face, 1 or more.",
    "gender": "women or men: only these actors are matched; empty for everyone. It filters the"
    " gallery, not the photo.",
    "country": "ISO 3166 code of the actors' citizenship, such as KR; empty for every country.",
    "parts": "Whether to tell which parts of a face carry each likeness; it takes a moment longer.",
}
# Beside what Gradio knows of its components: words, and which values there are.
SCHEMAS: dict[str, dict[str, Any]] = {
    "photo": {"description": ARGUMENTS["photo"], "additional_description": ARGUMENTS["photo"]},
    "top_k": {"description": ARGUMENTS["top_k"], "minimum": 1},
    "gender": {"description": ARGUMENTS["gender"], "enum": ["", "women", "men"]},
    "country": {"description": ARGUMENTS["country"]},
    "parts": {"description": ARGUMENTS["parts"]},
}
# Shown on the API's page.
EXAMPLES: dict[str, Any] = {
    "photo": {
        "path": "https://example.org/me.jpg",
        "url": "https://example.org/me.jpg",
        "orig_name": "me.jpg",
        "meta": {"_type": "gradio.FileData"},
    },
    "top_k": 5,
    "gender": "",
    "country": "",
    "parts": False,
}


UNREACHABLE = (
    "the photo cannot be fetched from its address; use one that anybody can reach, or send the"
    " picture itself"
)


def matching_queue(finder: LookalikeFinder) -> dict[str, Any]:
    """Of events that match photos, the page's and the API's together: as many as help at once."""
    return {"concurrency_limit": finder.engine.at_once, "concurrency_id": "matching"}


def add_api(finder: LookalikeFinder) -> None:
    """`/match`, `/actors` and `/health`.

    Raises:
        SettingsError: language models are to be served, and the package for it is missing.
    """
    if finder.settings.mcp:
        prepare_mcp()

    def match(
        photo: str | None,
        top_k: float | None,
        gender: str | None,
        country: str | None,
        parts: bool | None,
    ) -> dict[str, Any]:
        if photo is None:
            raise _refused("no photo was sent; send one as a file, an address or base64")
        wanted, most = _filter(finder, gender, country), int(top_k) if top_k else None
        answer = answer_json(finder, photo, most, wanted, parts=bool(parts))
        answer["photo"] = Path(photo).name
        return answer

    def actors(gender: str | None, country: str | None) -> list[dict[str, Any]]:
        return actors_json(finder, _filter(finder, gender, country))

    def health() -> dict[str, Any]:
        return health_json(finder)

    with gr.Row(visible=False):
        photo = photo_input(label="photo")
        explain_fetching(photo, UNREACHABLE)
        top_k = gr.Number(finder.settings.top_k, precision=0, label="top_k")
        parts = gr.Checkbox(False, label="parts")
        inputs = {"photo": photo, "top_k": top_k, **_filters(), "parts": parts}
        _endpoint(match, inputs, AnswerJson | NoAnswerJson, **matching_queue(finder))
        _endpoint(actors, _filters(), list[ActorJson])
        _endpoint(health, {}, HealthJson)


def check_call(endpoint: str | None, sent: list[Any]) -> list[Any]:
    """What Gradio is to read of a call's values; those of the page's own events as they are.

    Raises:
        gr.Error: a value that cannot be used, in one sentence.
    """
    if endpoint not in ENDPOINTS:
        return sent
    try:
        return checked(endpoint, sent, Path(get_upload_folder()))
    except SettingsError as error:
        raise _refused(str(error)) from error


def _filter(finder: LookalikeFinder, gender: str | None, country: str | None) -> Filter:
    wanted = read_filter(gender, country)
    try:
        check_filter(finder, wanted)
    except SettingsError as error:
        raise _refused(str(error)) from error
    return wanted


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
        describe(component, schema, EXAMPLES[argument])
    output = gr.JSON(label="answer")
    describe(output, schema_of(result), None)
    gr.Button().click(
        answer, list(inputs.values()), output, api_name=name, api_description=ABOUT[name], **options
    )
