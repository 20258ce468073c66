#!/bin/sh
# Builds Campfire from this checkout and installs the one file it consists of. Data is never touched.
set -eu

usage() {
    cat <<'TEXT'
Builds Campfire from this checkout and installs it.

Usage: ./install.sh [--prefix DIR] [--native]

  --prefix DIR   install to DIR/bin [/usr/local for root, ~/.local for others]
  --native       build for the processor of this machine; the file may not run on an older one
  --help         this

It needs Rust (https://rustup.rs) and a C compiler. Run it again to upgrade: the file is
replaced in one step, a running server keeps the old one until it is restarted, and data
stays as it is.
TEXT
}

stop() {
    echo "install.sh: $1" >&2
    exit "${2:-1}"
}

prefix=
profile=release
while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ $# -ge 2 ] || stop "--prefix needs a directory" 2
            prefix=$2
            shift
            ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --native) profile=release-native ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) stop "there is no option $1; ./install.sh --help tells what there is" 2 ;;
    esac
    shift
done

if [ -z "$prefix" ]; then
    if [ "$(id -u)" -eq 0 ]; then
        prefix=/usr/local
    else
        prefix=${HOME:?is not set; name a directory with --prefix}/.local
    fi
fi
# As the caller means it, before we leave for the checkout.
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac

cd "$(dirname "$0")"
[ -f Cargo.toml ] || stop "run it from a checkout: there is no Cargo.toml beside it"
command -v cargo >/dev/null || stop "cargo is missing; install Rust from https://rustup.rs and try again"
command -v cc >/dev/null || stop "a C compiler is missing (SQLite is compiled in); on Debian: apt-get install build-essential"

case $profile in
    release) cargo build --release --locked ;;
    release-native) cargo release-native --locked ;;
esac
# The host is named as the target (.cargo/config.toml), so its name is part of the path.
host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-target}/$host/$profile/campfire
[ -x "$built" ] || stop "the build ended well, but $built is not there"

bin=$prefix/bin
mkdir -p "$bin" || stop "cannot make $bin; name another place with --prefix"
new=$bin/.campfire.$$
trap 'rm -f "$new"' EXIT
if ! { cp "$built" "$new" && chmod 755 "$new"; }; then
    stop "cannot write to $bin; name another place with --prefix"
fi
mv -f "$new" "$bin/campfire"

echo
echo "$("$bin/campfire" --version) is in $bin/campfire"
case :$PATH: in
    *:"$bin":*) run=campfire ;;
    *)
        run=$bin/campfire
        echo "$bin is not in your PATH."
        ;;
esac
cat <<TEXT

What next? To look around first, with nothing of it staying:
  $run demo

To serve on http://127.0.0.1:3000, with all data in one directory; the first visitor sets it up:
  $run serve --data DIR

All settings:
  $run serve --help
TEXT
