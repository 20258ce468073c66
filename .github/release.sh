#!/bin/sh
# The steps of a release, which can be run by hand too. They write to dist/.
set -eu

stop() {
    echo "release.sh: $1" >&2
    exit 1
}

cd "$(dirname "$0")/.."
mkdir -p dist

case ${1:-} in
    # build TARGET NAME: builds the binary for an architecture.
    build)
        [ $# -eq 3 ] || stop "build takes a target and a name, like x86_64-unknown-linux-gnu x86_64"
        cargo build --release --locked --target "$2"
        cp "${CARGO_TARGET_DIR:-target}/$2/release/campfire" "dist/campfire-$3-linux"
        if file "dist/campfire-$3-linux" | grep -q 'dynamically linked'; then stop "dist/campfire-$3-linux is not static"; fi
        # A binary for this machine must run on it.
        if [ "$(uname -m)" = "$3" ]; then "dist/campfire-$3-linux" --version; fi
        ;;
    # materials: writes the bill of materials in CycloneDX.
    materials)
        cargo cyclonedx --format json --override-filename campfire.cdx
        mv campfire.cdx.json dist/
        ;;
    # finish VERSION: writes checksums, the version and the release notes.
    finish)
        version=${2:?which version?}
        grep -q "^version = \"$version\"$" Cargo.toml || stop "Cargo.toml has another version than $version"
        (cd dist && sha256sum campfire-* >SHA256SUMS)
        echo "$version" >dist/VERSION
        cp install.sh dist/
        sed -n "/^## \[$version\]/,/^## \[/p" .github/CHANGELOG.md | sed '1d;/^## \[/d' >notes.md
        grep -q . notes.md || stop "the changelog says nothing of $version"
        ;;
    *) stop "say build, materials or finish" ;;
esac
