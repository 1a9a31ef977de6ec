"""Do the Dockerfile's steps by chroot, where no program for containers may run.

In: the Dockerfile, a tar of the root that stands for its BASE, files that its steps may use.
Out: <out>/root, the last stage; <out>/enter, which runs a command in it as the image would; and
<out>/config.json with the last CMD and HEALTHCHECK. Knows the instructions that the Dockerfile has.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess  # as root, of the Dockerfile's own steps # nosec B404
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # run by path, from any folder

from core.settings import ROOT
from scripts.cli import Parser, path, run, tell

PLAIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
ENTER = (
    '#!/bin/sh\nexec chroot --userspec={user} {root} /usr/bin/env -i {env} sh -c {line} - "$@"\n'
)


@dataclass
class Stage:
    """One FROM and what follows it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: dict(PLAIN))
    args: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"

    def inside(self, place: str) -> Path:
        """A path of the image, as this machine has it."""
        return self.root / str(Path("/", self.folder, place)).lstrip("/")

    def run(self, command: str) -> None:
        """A RUN step."""
        env = [f"{name}={text}" for name, text in (self.args | self.env).items()]
        line = f"cd {shlex.quote(self.folder)}\n{command}"
        subprocess.run(  # noqa: S603 - the Dockerfile's own # nosec B603 B607
            ["chroot", str(self.root), "/usr/bin/env", "-i", *env, "sh", "-c", line],  # noqa: S607
            check=True,
        )

    def enter(self) -> str:
        """A script that runs its arguments here, as the image's user, in its folder."""
        env = shlex.join(f"{name}={text}" for name, text in self.env.items())
        line = shlex.quote(f'cd {self.folder} && exec "$@"')
        return ENTER.format(user=self.user, root=shlex.quote(str(self.root)), env=env, line=line)


class Image:
    """The stages so far."""

    def __init__(self, base: Path, out: Path, lent: list[tuple[Path, str]]) -> None:
        """`lent`: files and folders of this machine, and where the steps find them."""
        self.base, self.out, self.lent = base, out, lent
        self.stages: dict[str, Stage] = {}
        self.config: dict[str, list[str]] = {}

    @property
    def last(self) -> Stage:
        """The stage that steps belong to now."""
        return list(self.stages.values())[-1]

    def step(self, instruction: str, rest: str) -> None:
        """Do one instruction."""
        tell(f"{instruction} {rest}")
        if instruction == "FROM":
            self._from(rest.partition(" AS ")[2] or "root")
        elif instruction == "ARG" and self.stages:
            name, _, text = rest.partition("=")
            self.last.args[name] = text
        elif instruction == "ENV":
            pairs = (pair.split("=", 1) for pair in shlex.split(rest))
            found = {name: text.replace("$PATH", self.last.env["PATH"]) for name, text in pairs}
            self.last.env |= found
        elif instruction == "WORKDIR":
            self.last.folder = rest
            self.last.inside("").mkdir(parents=True, exist_ok=True)
        elif instruction == "USER":
            self.last.user = rest
        elif instruction == "COPY":
            self._copy(shlex.split(rest))
        elif instruction == "RUN":
            self.last.run(rest)
        elif instruction in ("CMD", "HEALTHCHECK"):
            self.config[instruction] = json.loads(rest[rest.index("[") :])

    def _from(self, name: str) -> None:
        stage = self.stages[name] = Stage(self.out / name)
        stage.root.mkdir(parents=True)
        shutil.unpack_archive(self.base, stage.root, filter="fully_trusted")
        for place in ("/etc/hosts", "/etc/resolv.conf"):
            shutil.copyfile(place, stage.inside(place))
        for source, place in self.lent:
            (shutil.copytree if source.is_dir() else shutil.copy)(source, stage.inside(place))

    def _copy(self, words: list[str]) -> None:
        options = dict(re.findall(r"--(\w+)=(\S+)", " ".join(words)))
        *sources, target = [word for word in words if not word.startswith("--")]
        there = self.last.inside(target)
        if "from" in options:
            places = [self.stages[options["from"]].inside(source) for source in sources]
        else:
            places = [ROOT / source for source in (sources if sources != ["."] else in_context())]
        for place in places:
            if place.is_dir():
                into = there / place.name if sources == ["."] else there
                shutil.copytree(place, into, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(place, there)
        if sources == ["."]:
            for pattern in ignored():
                self.last.run(f"rm -rf {pattern}")
        if "chown" in options:
            self.last.run(f"chown -R {options['chown']} {shlex.quote(target)}")


def in_context() -> list[str]:
    """What .dockerignore leaves of the project's folder, by its lines that take something in."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    return [line[1:] for line in lines if line.startswith("!")]


def ignored() -> list[str]:
    """Patterns of .dockerignore that take something out again, for a shell."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    return [line for line in lines if line[0] not in "!#*"]


def steps(dockerfile: Path) -> list[tuple[str, str]]:
    """Instructions and what follows them, continued lines joined, comments left out."""
    lines = [line for line in dockerfile.read_text("utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line]
    return [(instruction, rest) for instruction, _, rest in found]


def main() -> int:
    """Exit status 0 with the last stage in its folder."""
    parser = Parser(description="Do the Dockerfile's steps by chroot.")
    parser.add_argument("--base", type=path, required=True, help="tar of a root, for BASE")
    parser.add_argument("--out", type=path, required=True, help="a folder that is not there yet")
    parser.add_argument("--lend", nargs=2, action="append", default=[], metavar=("FILE", "PLACE"))
    args = parser.parse_args()
    image = Image(args.base, args.out, [(Path(source), place) for source, place in args.lend])
    for instruction, rest in steps(ROOT / "Dockerfile"):
        image.step(instruction, rest)
    (args.out / "config.json").write_text(json.dumps(image.config), encoding="utf-8")
    enter = args.out / "enter"
    enter.write_text(image.last.enter(), encoding="utf-8")
    enter.chmod(0o755)
    return 0


if __name__ == "__main__":
    run(main)
