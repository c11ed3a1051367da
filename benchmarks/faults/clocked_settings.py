"""The site's settings, with a clock that each request may set."""

import time

from benchmarks.faults.request_clock import time_of_request
from spotify_rec.settings import *  # noqa: F403
from spotify_rec.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = ["benchmarks.faults.request_clock.clock", *_MIDDLEWARE]
time.time = time_of_request
