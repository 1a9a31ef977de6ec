"""A photo's answer as HTML, and what stands in its place where there is none."""

from __future__ import annotations

from core.gallery.people import Filter
from core.lookalike import Judged, LookalikeFinder
from core.page.browser_memory import KeptFace, KeptPhoto
from core.page.language import View
from core.page.templates import render


def result_html(view: View, photo: KeptPhoto, wanted: Filter) -> str:
    """The whole result."""
    faces = [view.finder.judge(face, wanted) for face in photo.faces]
    if not faces[0].matches:
        return problem_html(view, "nobody_left")
    return faces_html(view, photo, faces)


def faces_html(view: View, photo: KeptPhoto, faces: list[Judged[KeptFace]]) -> str:
    """A photo's faces, judged, each with at least one match."""
    return render(
        "result",
        view=view,
        photo=photo,
        faces=faces,
        ranked=_ranked(faces),
        announcement=_announcement(view, faces[0]),
    )


def waiting_html(view: View) -> str:
    """What stands there before the first photo."""
    return empty_html(view.finder, view.speech("waiting"))


def empty_html(finder: LookalikeFinder, text: str = "") -> str:
    """As large as a result, with words in its middle; without any until the language is known."""
    rows, alike = finder.settings.top_k, finder.tells_parts
    return render("no_result", text=text, rows=rows, alike=alike, problem=False)


def problem_html(view: View, key: str) -> str:
    """One plain sentence in place of a result; for no face, what to do about it."""
    speech = view.speech
    tips = [*speech.words.no_face_tips, speech("no_face_example")] if key == "no_face" else []
    return render("no_result", text=speech(key), tips=tips, problem=True)


def _ranked(faces: list[Judged[KeptFace]]) -> list[tuple[int, Judged[KeptFace]]]:
    """Who of several is the most alike: their numbers with what was found."""
    if len(faces) < 2:
        return []
    return sorted(enumerate(faces), key=lambda entry: -entry[1].matches[0].similarity)


def _announcement(view: View, judged: Judged[KeptFace]) -> str:
    first = judged.matches[0]
    sentence = view.sentence(judged.verdict, first, 1)
    return view.speech("announce", name=view.name(first), sentence=sentence)
