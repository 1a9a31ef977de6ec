"""What the page says, in English and Korean."""

from __future__ import annotations

from core.lookalike import LookalikeFinder
from core.packs import get_pack

PAGE_TEXT = {
    "en": {
        "title": "# Which actor do you look like?",
        "intro": "Show a face by upload, camera or paste. The answer comes on its own.",
        "photo": "Your photo",
        "privacy": "Your photo is matched on this server and its file deleted about {seconds}"
        " seconds later. Nothing of it is kept, logged or passed on.",
        "waiting": "The five actors closest to you will appear here.",
        "starter": "This is the starter gallery: {actors} actors, without portraits. For one with"
        " credited portraits run <code>python scripts/download_dataset.py</code>, for your own put"
        " photos into <code>dataset/&lt;Actor name&gt;/</code>; then restart.",
        "embedded": "The embedded SFace model is in use. <code>python"
        " scripts/download_models.py</code> gets AuraFace, then restart.",
        "fallback": "⚠️ AuraFace could not be had; the embedded SFace model is used instead."
        " The log says why.",
        "footer": "{actors} actors, {portraits} portraits, indexed {built} · model {model}"
        " ({licence})",
        "you": "You",
        "your_face": "Your face, cut out and straightened",
        "portrait_of": "Portrait of {name}",
        "score": "score",
        "similarity": "similarity",
        "meaning": "Closer to you than {share} % of these actors come to any other actor.",
        "meaning_low": "Hardly any of these actors is this far from all others.",
        "rough": "A small gallery: take the score as rough.",
        "several_faces": "{count} faces found. This is the largest one.",
        "look_up": "Look up",
        "photo_by": "Photo: {author}, {licence}",
        "no_face": "No face found. Face the camera, in good light, close enough to fill a third"
        " of the picture.",
        "unreadable": "This file cannot be read as a picture. Try a JPEG, PNG, WebP or HEIC photo.",
        "too_large": "This picture is too large. Up to {megabytes:g} MB and {megapixels:g}"
        " megapixels are fine.",
        "failed": "Something went wrong on the server. Please try another photo.",
    },
    "ko": {
        "title": "# 나는 어떤 배우를 닮았을까?",
        "intro": "사진을 올리거나, 카메라로 찍거나, 붙여 넣으세요. 결과가 바로 나옵니다.",
        "photo": "내 사진",
        "privacy": "사진은 이 서버에서 비교하고, 파일은 약 {seconds}초 후에 삭제됩니다. 아무것도"
        " 보관하거나 기록하거나 넘기지 않습니다.",
        "waiting": "나와 가장 닮은 배우 다섯 명이 여기에 나타납니다.",
        "starter": "기본 갤러리입니다: 배우 {actors}명, 사진 없음. 출처가 표시된"
        " 사진을 쓰려면 <code>python scripts/download_dataset.py</code>를 실행하고, 내 갤러리를"
        " 쓰려면 <code>dataset/&lt;배우 이름&gt;/</code>에 사진을 넣은 뒤 다시 시작하세요.",
        "embedded": "내장 SFace 모델을 쓰고 있습니다. <code>python"
        " scripts/download_models.py</code>로 AuraFace를 받은 뒤 다시 시작하세요.",
        "fallback": "⚠️ AuraFace를 받지 못해 내장 SFace 모델을 씁니다. 이유는 로그에 있습니다.",
        "footer": "배우 {actors}명, 사진 {portraits}장, 색인 {built} · 모델 {model} ({licence})",
        "you": "나",
        "your_face": "잘라서 바로 세운 내 얼굴",
        "portrait_of": "{name}의 사진",
        "score": "점수",
        "similarity": "유사도",
        "meaning": "이 배우들의 {share}%가 다른 배우와 닮은 것보다 더 닮았어요.",
        "meaning_low": "이 배우들 가운데 다른 배우와 이만큼 안 닮은 사람은 거의 없어요.",
        "rough": "갤러리가 작아 점수는 대략적인 값입니다.",
        "several_faces": "얼굴 {count}개를 찾았어요. 가장 큰 얼굴의 결과입니다.",
        "look_up": "찾아보기",
        "photo_by": "사진: {author}, {licence}",
        "no_face": "얼굴을 찾지 못했어요. 밝은 곳에서 정면을 보고, 얼굴이 사진의 3분의 1을 채우게"
        " 해 주세요.",
        "unreadable": "사진으로 읽을 수 없는 파일이에요. JPEG, PNG, WebP, HEIC 사진을 써 주세요.",
        "too_large": "사진이 너무 커요. {megabytes:g}MB, {megapixels:g}메가픽셀까지 괜찮아요.",
        "failed": "서버에 문제가 생겼어요. 다른 사진으로 다시 해 주세요.",
    },
}


def visitor_language(accept_language: str | None) -> str:
    """The first language of a browser's Accept-Language that the page speaks, else "en"."""
    for entry in (accept_language or "").lower().split(","):
        tag = entry.split(";")[0].strip().split("-")[0]
        if tag in PAGE_TEXT:
            return tag
    return "en"


def page_text(finder: LookalikeFinder) -> dict[str, dict[str, str]]:
    """The table with this finder's numbers filled in; what is known only later stays open."""
    info, settings = finder.index.info, finder.settings
    pack = get_pack(info.pack, settings)
    known = {
        "actors": f"{len(finder.index.actors):,}",
        "portraits": f"{len(finder.index.portraits):,}",
        "built": info.built[:10],
        "model": pack.title,
        "licence": pack.recogniser.licence,
        "seconds": str(settings.photo_seconds),
        "megabytes": settings.max_megabytes,
        "megapixels": settings.max_megapixels,
    }
    fixed = ("starter", "footer", "privacy", "too_large")
    return {
        lang: {key: text.format(**known) if key in fixed else text for key, text in table.items()}
        for lang, table in PAGE_TEXT.items()
    }


def banners(finder: LookalikeFinder) -> list[str]:
    """What a visitor should know of this gallery and model, as keys of the page's texts."""
    if finder.notice:
        return ["fallback"]
    if finder.index.info.source == "starter":
        return ["starter"]
    return ["embedded"] if finder.engine.pack.name == "sface" else []
