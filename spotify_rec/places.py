"""Where things lie: what is ours to read, and what is the operator's to keep.

From a checkout both are the checkout. Installed from a wheel, what is to be read (templates, translations, the demo,
the browser's files) lies beside this module in ``bundle``, laid out as in a checkout, and what is kept lies in one
folder: ``EARWORM_HOME``, or the platform's place for a user's data.
"""

import os
from pathlib import Path

from platformdirs import user_data_path

_BUNDLE = Path(__file__).resolve().parent / "bundle"
IS_INSTALLED = _BUNDLE.is_dir()
# Templates, translations, fixtures, data, the browser's files.
BASE_DIR = _BUNDLE if IS_INSTALLED else _BUNDLE.parents[1]


def _given_home() -> Path | None:
    if home := os.environ.get("EARWORM_HOME", "").strip():
        return Path(home).expanduser().resolve()
    return user_data_path("earworm", appauthor=False) if IS_INSTALLED else None


_HOME = _given_home()
# The .env file, and what relative paths of settings begin at.
HOME_DIR = _HOME or BASE_DIR
# Database, uploads, sketches, collected static files.
VAR_DIR = _HOME or BASE_DIR / "var"
MODELS = "models" if _HOME else "data/models"
