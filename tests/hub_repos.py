"""Spaces and datasets of the Hub stand-in: made, written to and read, as the Hub's API does it.

Shapes of requests and answers are those that huggingface_hub 2.4 sends and reads. Only what its
owner's token may do is done; large files come by the LFS protocol, not by Xet.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

OWNER, WRITING, READING = "me", "hf_writing", "hf_reading"  # a user, and the tokens
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
API = re.compile(r"/api/(?P<kind>spaces|datasets)/(?P<name>[^/]+/[^/]+)(?:/(?P<rest>.*))?")
RESOLVE = re.compile(r"/(?P<kind>spaces|datasets)/(?P<name>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>.+)")
LARGE = re.compile(r"/(?P<kind>spaces|datasets)/(?P<name>[^/]+/[^/]+)\.git/info/lfs/objects/batch")


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Repo:
    """A repository: its files as they are now, and what was done to it."""

    private: bool
    sdk: str | None
    files: dict[str, bytes]
    commits: list[dict[str, Any]] = field(default_factory=list)  # summary, written, deleted
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def sha(self) -> str:
        return hashlib.sha1(str(len(self.commits)).encode()).hexdigest()


@dataclass
class HubRepos:
    """All of them, by kind and name, as in "spaces/me/lookalike"."""

    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)  # large files by SHA-256
    payment: bool = False  # new Spaces are refused until somebody pays

    def answer(
        self, method: str, path: str, headers: HTTPMessage, body: bytes, url: str
    ) -> Answer | None:
        """The answer to a request; None for what is nobody's business here."""
        path, token = unquote(urlsplit(path).path), _token(headers)
        if path.startswith("/blobs/"):
            return self._store(path.removeprefix("/blobs/"), method, body)
        if found := RESOLVE.fullmatch(path):
            return self._file(f"{found['kind']}/{found['name']}", found["file"])
        if method == "POST" and (found := LARGE.fullmatch(path)):
            return self._batch(json.loads(body), url)
        if path == "/api/validate-yaml":
            return _checked_readme(json.loads(body)["content"])
        if path in ("/api/whoami-v2", "/api/repos/create") and token not in (WRITING, READING):
            return _told(401, error="Invalid user token.")
        if path == "/api/whoami-v2":
            return _told(200, type="user", name=OWNER, auth={"accessToken": {"role": token}})
        if path == "/api/repos/create":
            return self._create(json.loads(body), token, url)
        if found := API.fullmatch(path):
            return self._of_repo(method, found, token, body, url)
        return None

    def _create(self, wanted: dict[str, Any], token: str, url: str) -> Answer:
        kind, name = f"{wanted['type']}s", f"{wanted['organization'] or OWNER}/{wanted['name']}"
        address = f"{url}/{kind}/{name}"
        if f"{kind}/{name}" in self.repos:
            return _told(409, error=f"You already created this {wanted['type']} repo", url=address)
        if token != WRITING or not name.startswith(f"{OWNER}/"):
            return _told(403, error="You don't have the rights to create it under this namespace")
        if kind == "spaces" and self.payment:
            return _told(402, error="Payment required")
        first = {".gitattributes": b"*.png filter=lfs\n", "README.md": b"---\ntitle: New\n---\n"}
        private = wanted.get("visibility") == "private"
        self.repos[f"{kind}/{name}"] = Repo(private, wanted.get("sdk"), first)
        return _told(200, url=address, name=name)

    def _of_repo(
        self, method: str, asked: re.Match[str], token: str, body: bytes, url: str
    ) -> Answer:
        repo, rest = self.repos.get(f"{asked['kind']}/{asked['name']}"), asked["rest"] or ""
        if repo is None or (repo.private and not token):
            unseen = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
            return Answer(404 if token else 401, unseen)
        if method in ("POST", "DELETE") and token != WRITING:
            return _told(403, error="your token may only read")
        if rest.startswith("preupload/"):
            return _told(200, files=[self._mode(repo, file) for file in json.loads(body)["files"]])
        if rest.startswith("commit/"):
            self._commit(repo, [json.loads(line) for line in body.splitlines()])
            address = f"{url}/{asked['kind']}/{asked['name']}/commit/{repo.sha}"
            return _told(200, success=True, commitOid=repo.sha, commitUrl=address)
        if rest == "variables":
            return _variables(repo, method, body)
        entries = [_entry(name, data) for name, data in repo.files.items()]
        if rest.startswith("tree/"):
            return Answer(200, {}, json.dumps(entries).encode())
        siblings = [{"rfilename": name} for name in repo.files]
        return _told(200, id=asked["name"], sha=repo.sha, private=repo.private, siblings=siblings)

    def _mode(self, repo: Repo, file: dict[str, Any]) -> dict[str, Any]:
        """How the Hub wants a file: bytes that are no text as a large file."""
        there = repo.files.get(file["path"])
        large = b"\0" in base64.b64decode(file["sample"])
        oid = None if there is None else hashlib.sha256(there).hexdigest() if large else _git(there)
        mode = "lfs" if large else "regular"
        return {"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid}

    def _batch(self, wanted: dict[str, Any], url: str) -> Answer:
        objects = []
        for entry in wanted["objects"]:
            store = {"href": f"{url}/blobs/{entry['oid']}"}
            missing = entry["oid"] not in self.blobs
            objects.append({**entry, "authenticated": True})
            objects[-1] |= {"actions": {"upload": store, "verify": store}} if missing else {}
        return _told(200, transfer="basic", objects=objects)

    def _store(self, oid: str, method: str, body: bytes) -> Answer:
        if method == "PUT":
            if hashlib.sha256(body).hexdigest() != oid:
                return _told(400, error="other bytes than announced")
            self.blobs[oid] = body
        return _told(200 if oid in self.blobs else 404)

    def _commit(self, repo: Repo, lines: list[dict[str, Any]]) -> None:
        (header, *operations) = ((line["key"], line["value"]) for line in lines)
        written, deleted = [], []
        for kind, value in operations:
            if kind == "deletedFile":
                del repo.files[value["path"]]
                deleted.append(value["path"])
                continue
            large = kind == "lfsFile"
            data = self.blobs[value["oid"]] if large else base64.b64decode(value["content"])
            repo.files[value["path"]] = data
            written.append(value["path"])
        repo.commits.append({"written": written, "deleted": deleted, **header[1]})

    def _file(self, repo: str, name: str) -> Answer:
        data = self.repos[repo].files.get(name) if repo in self.repos else None
        if data is None:
            return Answer(404, {"X-Error-Code": "EntryNotFound"})
        etag = f'"{hashlib.sha256(data).hexdigest()}"'
        return Answer(200, {"ETag": etag, "X-Repo-Commit": self.repos[repo].sha}, data)


def _token(headers: HTTPMessage) -> str:
    return (headers.get("Authorization") or "").removeprefix("Bearer ")


def _told(status: int, **values: Any) -> Answer:
    more = {"X-Error-Message": str(values["error"])} if "error" in values else {}
    return Answer(status, {"Content-Type": "application/json"} | more, json.dumps(values).encode())


def _variables(repo: Repo, method: str, body: bytes) -> Answer:
    wanted: Mapping[str, str] = json.loads(body) if body else {}
    if method == "POST":
        repo.variables[wanted["key"]] = wanted["value"]
    elif method == "DELETE":
        repo.variables.pop(wanted["key"], None)
    return _told(200, **{k: {"key": k, "value": v} for k, v in repo.variables.items()})


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": name, "size": len(data), "oid": _git(data)}
    if b"\0" in data:
        digest = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 130}
    return entry


def _git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _checked_readme(content: str) -> Answer:
    """As far as the Hub's check goes here: the front matter is YAML, and its colours are known."""
    front = yaml.safe_load(content.split("---\n")[1])
    wrong = [key for key in ("colorFrom", "colorTo") if front.get(key, "red") not in COLOURS]
    errors = [{"message": f'"{key}" must be one of {", ".join(COLOURS)}'} for key in wrong]
    return _told(400 if errors else 200, errors=errors, warnings=[])
