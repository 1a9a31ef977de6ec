"""The polite client: who it says it is, how it waits, what it takes for an answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.download.http import ATTEMPTS, JITTER, LONGEST_WAIT, WebClient, retry_after
from core.errors import GoneError, SettingsError, SourceError
from tests.conftest import ASTRONAUT
from tests.wikimedia_standin import CONTACT, Fault, File, WikimediaStandin, in_seconds

BODY = ASTRONAUT.read_bytes()
NAME = "Photo 1-1.jpg"
MB = 1_000_000


@pytest.fixture
def wikimedia(monkeypatch: pytest.MonkeyPatch) -> Iterator[WikimediaStandin]:
    monkeypatch.setenv("NO_PROXY", "*")
    with WikimediaStandin() as standin:
        standin.add("Ann", File(ASTRONAUT, mime="image/png"))
        yield standin


class Waits(list[float]):
    """Stands in for sleep: remembers for how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def client(wikimedia: WikimediaStandin, waits: Waits) -> Iterator[WebClient]:
    with WebClient(CONTACT, sleep=waits) as client:
        yield client


def picture(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/original/Photo%201-1.jpg"


def api(wikimedia: WikimediaStandin) -> str:
    return f"{wikimedia.url}/w/api.php"


ASK = {"action": "query", "list": "categorymembers", "cmtitle": "Category:X", "cmlimit": "5"}


@pytest.mark.parametrize("contact", ["", "  ", "me\r\nX-Evil: 1", "나@example.org"])
def test_without_a_usable_contact_nothing_is_asked(contact: str) -> None:
    with pytest.raises(SettingsError, match=r"LOOKALIKE_CONTACT is .*; Wikimedia asks"):
        WebClient(contact)


def test_each_request_says_who_asks(client: WebClient, wikimedia: WikimediaStandin) -> None:
    client.get_json(api(wikimedia), ASK)
    client.picture(picture(wikimedia), MB)
    assert {seen.user_agent for seen in wikimedia.requests} == {f"Lookalike/0.1.0 ({CONTACT})"}


def test_a_picture_arrives_whole(client: WebClient, wikimedia: WikimediaStandin) -> None:
    assert client.picture(picture(wikimedia), MB) == BODY


def test_it_waits_the_seconds_that_a_429_names(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=429, headers={"Retry-After": "7"})]
    client.get_json(api(wikimedia), ASK)
    assert waits == [7.0]
    assert len(wikimedia.requests) == 2


def test_it_waits_until_the_date_that_a_503_names(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=503, headers={"Retry-After": in_seconds(30)})]
    client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1
    assert 25 < waits[0] <= 30


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        ("0", 0.0),
        ("999999", LONGEST_WAIT),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_and_capped(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_busy_server_is_asked_again_at_growing_intervals_and_then_left(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits, status: int
) -> None:
    wikimedia.faults["api"] = [Fault(status=status, times=99)]
    with pytest.raises(SourceError, match=f"status {status}.*run it again later"):
        client.get_json(api(wikimedia), ASK)
    assert len(wikimedia.requests) == ATTEMPTS
    for number, seconds in enumerate(waits):
        assert 2**number <= seconds <= 2**number + JITTER
    assert len(waits) == ATTEMPTS - 1


def test_a_refusal_that_another_attempt_cannot_cure_is_reported_at_once(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults["api"] = [Fault(status=403, times=99)]
    with pytest.raises(SourceError, match="answered 403"):
        client.get_json(api(wikimedia), ASK)
    assert waits == []


def test_mediawikis_rate_limit_in_a_good_answer_is_waited_for(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    limited = b'{"error": {"code": "ratelimited", "info": "Too often."}}'
    wikimedia.faults["api"] = [Fault(body=limited, headers={"Content-Length": str(len(limited))})]
    assert "error" not in client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1


@pytest.mark.parametrize("body", [b'{"results": {"bin', b"<html>", b"[1]", b""])
def test_json_that_breaks_off_is_asked_for_again(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits, body: bytes
) -> None:
    wikimedia.faults["api"] = [Fault(body=body, headers={"Content-Length": str(len(body))})]
    assert "query" in client.get_json(api(wikimedia), ASK)
    assert len(waits) == 1


def test_a_connection_cut_in_the_middle_of_a_picture_is_tried_again(
    client: WebClient, wikimedia: WikimediaStandin, waits: Waits
) -> None:
    wikimedia.faults[NAME] = [Fault(cut=True)]
    assert client.picture(picture(wikimedia), MB) == BODY
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(cut=True, times=99), "gave nothing usable"),
        (Fault(html=True, times=99), "not a picture: text/html"),
    ],
)
def test_what_never_becomes_a_picture_is_reported(
    client: WebClient, wikimedia: WikimediaStandin, fault: Fault, reason: str
) -> None:
    wikimedia.faults[NAME] = [fault]
    with pytest.raises(SourceError, match=reason):
        client.picture(picture(wikimedia), MB)
    assert len(wikimedia.requests) == ATTEMPTS


def test_a_picture_of_too_many_bytes_is_refused_once_and_for_all(
    client: WebClient, wikimedia: WikimediaStandin
) -> None:
    with pytest.raises(GoneError, match=r"more than 0\.001 MB"):
        client.picture(picture(wikimedia), 1000)
    assert len(wikimedia.requests) == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_picture_that_is_gone_is_not_asked_for_again(
    client: WebClient, wikimedia: WikimediaStandin, status: int
) -> None:
    wikimedia.faults[NAME] = [Fault(status=status, times=99)]
    with pytest.raises(GoneError, match="not there"):
        client.picture(picture(wikimedia), MB)
    assert len(wikimedia.requests) == 1


def test_a_redirect_is_followed(client: WebClient, wikimedia: WikimediaStandin) -> None:
    away = {"Location": picture(wikimedia)}
    wikimedia.faults[NAME] = [Fault(status=302, headers=away)]
    assert client.picture(picture(wikimedia), MB) == BODY


def test_a_circle_of_redirects_is_reported(client: WebClient, wikimedia: WikimediaStandin) -> None:
    away = {"Location": picture(wikimedia)}
    wikimedia.faults[NAME] = [Fault(status=302, headers=away, times=99)]
    with pytest.raises(SourceError, match="redirects"):
        client.picture(picture(wikimedia), MB)


def test_a_server_that_is_not_there_is_reported(waits: Waits) -> None:
    with (
        WebClient(CONTACT, sleep=waits) as client,
        pytest.raises(SourceError, match="gave nothing usable"),
    ):
        client.get_json("http://127.0.0.1:9/w/api.php", ASK)
    assert len(waits) == ATTEMPTS - 1
