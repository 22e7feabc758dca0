#!/bin/sh
# Prints where promtool is; fetches it first when this machine has none.
#
#     deploy/prometheus/get-promtool.sh
#
# It comes out of Debian's package `prometheus`, unpacked beside the other downloads and not installed, so that no
# server is started. apt compares the package with Debian's signed lists. As no promtool is fetched elsewhere,
# the message says how to get one. PUNCTUAL_PARTS names another folder for downloads, as it does for `make demo`.
set -eu

checkout=$(cd "$(dirname "$0")/../.." && pwd)
parts=${PUNCTUAL_PARTS:-$checkout/.punctual/parts}
kept=$parts/promtool/promtool

fail() {
    echo "promtool, which tests the alert rules, is not on this machine and could not be fetched: $1." >&2
    echo "Put a promtool 2.42 or newer on the PATH: it is in Debian's and Ubuntu's package prometheus, in Homebrew's" >&2
    echo "formula prometheus, and in every release of Prometheus." >&2
    exit 1
}

if command -v promtool; then exit; fi
if [ -x "$kept" ]; then
    echo "$kept"
    exit
fi

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "this is neither Debian nor Ubuntu"

mkdir -p "$parts"
scratch=$(mktemp -d "$parts/.promtool.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

download() { apt-get -qq -o APT::Sandbox::User=root download prometheus >&2; }

# Without lists, or with old ones, there is nothing to download; only root may fetch them.
if ! download 2>log; then
    if [ "$(id -u)" = 0 ]; then
        apt-get -qq update >&2 || fail "apt-get update failed"
        download || fail "apt-get download failed"
    else
        fail "$(tail -n 1 log)"
    fi
fi

dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
usr/bin/promtool --version >/dev/null 2>&1 || fail "the program in Debian's package does not run here"
mkdir -p "$(dirname "$kept")"
mv usr/bin/promtool "$kept" # within one folder: it appears whole or not at all
echo "$kept"
