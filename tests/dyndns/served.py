"""Settings of the web process that a test starts: the test's own database, data folder and keys."""

import os
from pathlib import Path

from rahdari.settings.test import *  # noqa: F403  (settings of settings)
from rahdari.settings.test import DATABASES

DATA = Path(os.environ["RAHDARI_DATA"])
POLICY_FILE = DATA / "policy" / "in-force.toml"
DATABASES["default"]["NAME"] = os.environ["RAHDARI_TEST_DATABASE"]
# The relay of the test speaks for clients at addresses of the documentation ranges, as nginx would.
TRUSTED_PROXIES = ["127.0.0.1/32"]
