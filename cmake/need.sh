# SPDX-License-Identifier: Apache-2.0
# Sourced by the commands that install what they lack: need PACKAGE... (Debian's names).

# What every build needs, and what the tests need beside it.
build_packages=(cmake ninja-build gcc g++ libc6-dev pkg-config libssl-dev libsodium-dev libuv1-dev
    libpcap-dev libjansson-dev libedit-dev)
test_packages=(libcmocka-dev clang clang-format libclang-rt-14-dev doxygen graphviz python3
    python3-cffi git)

need() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages: ${missing[*]}" >&2
        echo "install them, or run this as root: apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 &&
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
