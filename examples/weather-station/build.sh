#!/usr/bin/env bash
# As the framework's build.sh, with this project: ./build.sh start | test | docker | image rpi
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case "${1:-}" in
  start | test | docker | image) exec "$here/../../build.sh" "$@" --project "$here" ;;
  *) exec "$here/../../build.sh" "$@" ;;
esac
