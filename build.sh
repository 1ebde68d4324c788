#!/usr/bin/env bash
# The one door to Ledge. Needs npm; everything else it installs itself, below this folder.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$PWD

usage() {
  cat <<'EOF'
Usage: ./build.sh COMMAND [OPTIONS]      (each command explains itself with --help)

  start     run the whole appliance on this machine, with a project of your own if you like
  new       make a project of your own: a folder with your service, drivers and things
  test      check and test everything that needs no virtual machine and no Docker
  bench     measure, and print a table
  image     make the SD-card image for Raspberry Pi, and the update bundle that belongs to it
  boot      run that image here, in QEMU
  docker    make the images of the services for containers; docker-compose up -d starts them
  build     make dist/: one bundle per service, and the web pages
  screenshots  take pictures of each web page, at three widths, light and dark
  format    put the sources into the house's form
EOF
}

fail() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# Node 24 comes as an npm package for this machine's system and processor, so that an older Node here does not matter.
# The addons are compiled only where a compiler is; without one, everything but GPIO through sysfs works.
prepare() {
  command -v npm >/dev/null || fail 'npm is missing. Install Node.js with npm (Debian: apt-get install npm), then try again.'
  local wanted have=
  wanted=$(cksum package-lock.json package.json | cksum | cut -d' ' -f1)
  [ -f node_modules/.prepared ] && have=$(cat node_modules/.prepared)
  if [ "$wanted" != "$have" ]; then
    echo 'Installing the packages that Ledge is made of (once, about a minute) ...'
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
      fail 'the packages could not be installed. Is the npm registry reachable (network, proxy)? The lines above say more.'
    build_addons
    echo "$wanted" >node_modules/.prepared
  fi
  PATH="$PWD/node_modules/.bin:$PATH"
  export PATH
  local version
  version=$(node --version 2>/dev/null || true)
  case "$version" in
    v24.* | v2[5-9].*) ;;
    *) fail "Node is ${version:-missing}; 24 or newer is wanted, and no packaged one fits this machine ($(uname -sm)). Install Node 24." ;;
  esac
}

build_addons() {
  [ -d node_modules/epoll ] || return 0
  local headers
  headers=$(node -p 'require("path").dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`))' 2>/dev/null || true)
  if command -v g++ >/dev/null && command -v make >/dev/null && command -v python3 >/dev/null && [ -d "$headers/include" ]; then
    rebuild() { PATH="$PWD/node_modules/.bin:$PATH" npm_config_nodedir="$headers" npm rebuild "$1" --foreground-scripts --loglevel=error >>node_modules/.addons.log 2>&1; }
    : >node_modules/.addons.log
    # only under systemd, which runs the image; elsewhere its tool systemd-notify does
    if echo '#include <systemd/sd-daemon.h>' | g++ -x c++ -E - >/dev/null 2>&1; then rebuild sd-notify || true; fi
    rebuild epoll && return 0
    echo 'Note: the epoll addon did not compile (node_modules/.addons.log); GPIO through sysfs will not work here, all else will.'
  else
    echo 'Note: no compiler here (g++, make, python3); GPIO through sysfs will not work, all else will.'
  fi
}

# run_here PROGRAM ARGUMENT... : where build.sh was called, so that folders on the command line mean what they say
run_here() {
  local program="$root/$1"
  shift
  cd "$called_from"
  exec node "$program" "$@"
}

# install_packages PACKAGE... : Debian packages that a command needs, said before it is done; without root they are only named.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "Note: not installed here: ${missing[*]}. Tests that need them say so and are skipped (Debian: sudo apt-get install ${missing[*]})."
    return 0
  fi
  echo "Installing Debian packages that the tests use: ${missing[*]}"
  apt-get update -qq >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
  # Debian starts a broker of its own on port 1883 where systemd runs; it was not asked for
  case " ${missing[*]} " in *' mosquitto '*) [ -d /run/systemd/system ] && systemctl disable --now mosquitto >/dev/null 2>&1 || true ;; esac
}

TEST_PACKAGES=(dbus mosquitto mosquitto-clients nftables mplayer espeak-ng sox libsox-fmt-mp3 socat chromium fonts-dejavu-core dosfstools mtools fuse fusefat
  libubootenv-tool)

# What makes an image: Debian's bootstrap and emulation, file systems, U-Boot's tools, the cross compiler, RAUC
IMAGE_PACKAGES=(mmdebstrap arch-test qemu-user-static binfmt-support debian-archive-keyring squashfs-tools mtools dosfstools e2fsprogs
  u-boot-tools rauc openssl xz-utils zstd lz4 kmod systemd binutils gcc-aarch64-linux-gnu g++-aarch64-linux-gnu make python3 git)
# What makes images for containers
CONTAINER_PACKAGES=(mmdebstrap arch-test debian-archive-keyring binutils gcc git)
VM_PACKAGES=(qemu-system-arm qemu-utils mtools dosfstools e2fsprogs fdisk openssh-client mosquitto-clients)

# An engine for the tests, unless one answers or can be started
install_engine() {
  local packages=()
  docker version >/dev/null 2>&1 || command -v dockerd >/dev/null || packages+=(docker.io)
  command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || packages+=(docker-compose)
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
  # since Debian 13 a package of its own
  command -v docker >/dev/null || install_packages docker-cli
}

# prepare_emulation PROCESSOR: its programs run here through qemu-user, which the kernel has to be told once after each start of this machine.
prepare_emulation() {
  [ "$(uname -m)" = "$1" ] && return 0
  [ -e "/proc/sys/fs/binfmt_misc/qemu-$1" ] && return 0
  [ "$(id -u)" -eq 0 ] || return 0 # the image's own check says that it wants root
  mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc 2>/dev/null || true
  update-binfmts --enable "qemu-$1" >/dev/null 2>&1 || true
  [ -e "/proc/sys/fs/binfmt_misc/qemu-$1" ] || fail "programs for $1 cannot be run here: binfmt_misc with qemu-$1 is needed."
}

# make_image OPTION...
make_image() {
  prepare
  case " $* " in
    *' --help '*) ;;
    *)
      install_packages "${IMAGE_PACKAGES[@]}"
      prepare_emulation aarch64
      ;;
  esac
  with_cache image/main.ts "$@"
}

# make_containers OPTION... : needs no engine
make_containers() {
  prepare
  case " $* " in
    *' --help '*) ;;
    *)
      install_packages "${CONTAINER_PACKAGES[@]}"
      local other=arm64 processor=aarch64 compiler=gcc-aarch64-linux-gnu
      [ "$(uname -m)" = aarch64 ] && other=amd64 processor=x86_64 compiler=gcc-x86-64-linux-gnu
      if [[ " $* " =~ \ --arch[=\ ]($other|all)\  ]]; then
        install_packages "$compiler" qemu-user-static binfmt-support
        prepare_emulation "$processor"
      fi
      ;;
  esac
  with_cache image/docker/main.ts "$@"
}

# with_cache PROGRAM OPTION... : where this script was called from; one at a time, as they share a cache
with_cache() {
  local program=$root/$1 cache=${EDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ledge}
  shift
  cd "$called_from"
  mkdir -p "$cache"
  flock "$cache/build.lock" node "$program" "$@"
}

command=${1:-}
[ $# -gt 0 ] && shift
case "$command" in
  start)
    prepare
    node tools/build.ts --quiet
    case " $* " in
      *' --project'[\ =]*) run_here tools/start-project.ts "$@" ;;
      *) run_here dist/ledge.mjs "$@" ;;
    esac
    ;;
  build)
    prepare
    exec node tools/build.ts "$@"
    ;;
  test)
    prepare
    case " $* " in
      *' --project'[\ =]*) run_here tools/test-project.ts "$@" ;;
      *' --help '*) ;;
      *' --vm '* | *' --all '*)
        install_packages "${TEST_PACKAGES[@]}" "${IMAGE_PACKAGES[@]}" "${VM_PACKAGES[@]}" "${CONTAINER_PACKAGES[@]}"
        prepare_emulation aarch64
        ;;
      *' --docker '*) install_packages "${TEST_PACKAGES[@]}" "${CONTAINER_PACKAGES[@]}" ;;
      *) install_packages "${TEST_PACKAGES[@]}" ;;
    esac
    case " $* " in *' --help '*) ;; *' --docker '* | *' --all '*) install_engine ;; esac
    exec node tools/test.ts "$@"
    ;;
  new)
    prepare
    run_here tools/new/main.ts "$@"
    ;;
  bench)
    prepare
    case " $* " in *' --help '*) ;; *)
      install_packages mosquitto chromium fonts-dejavu-core
      node tools/build.ts --quiet
      ;;
    esac
    exec node bench/main.ts "$@"
    ;;
  screenshots)
    prepare
    case " $* " in *' --help '*) ;; *)
      install_packages chromium fonts-dejavu-core
      node tools/build.ts --quiet
      ;;
    esac
    exec node tools/screenshots.ts "$@"
    ;;
  image) make_image "$@" ;;
  docker) make_containers "$@" ;;
  boot)
    prepare
    case " $* " in *' --help '*) ;; *) install_packages qemu-system-arm qemu-utils ;; esac
    exec node image/boot.ts "$@"
    ;;
  format)
    prepare
    exec biome check --write .
    ;;
  -h | --help | help | '') usage ;;
  *)
    usage >&2
    fail "there is no command $command"
    ;;
esac
