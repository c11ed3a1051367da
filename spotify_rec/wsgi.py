"""WSGI entry point for gunicorn and other servers."""

import os

from django.core.wsgi import get_wsgi_application

from accounts.fast.memory import keep_freed_memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
# A page's arithmetic is too small to share out: with a thread per core, the workers' threads wait for each other, and a
# busy machine takes five times as long. Set before numpy is imported; `retrain` keeps all cores.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
keep_freed_memory()

application = get_wsgi_application()

# Only now: the models behind it need Django to be set up.
from recommender.lifecycle.versions import serve_without_waiting  # noqa: E402
from spotify_rec.web.away import wait_less  # noqa: E402
from spotify_rec.web.warming import warm_pages  # noqa: E402

wait_less()
serve_without_waiting(warm_pages)
