#!/bin/sh
# The first start without settings makes some: keys of its own, for this machine alone (ALLOWED_HOSTS names other hosts).
set -eu
if [ "${1:-} ${2:-}" = "earworm serve" ] && [ -z "${SECRET_KEY:-}" ] && [ ! -e "$EARWORM_HOME/.env" ]; then
  earworm make_env
fi
exec "$@"
