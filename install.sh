#!/bin/sh
# Installs, updates or removes Campfire. Everything is in functions that the last line calls, so that a truncated download
# of this file does nothing.
set -eu

# The release directory: VERSION, SHA256SUMS and a binary for each architecture.
RELEASES=https://example.org/campfire/releases/latest/download

usage() {
    cat <<'TEXT'
Installs Campfire as a service, or a newer version of it. Asks nothing, and overwrites neither settings nor data.

Usage: curl -fsSL https://example.org/campfire/install.sh | sh
       curl -fsSL https://example.org/campfire/install.sh | sh -s -- [OPTIONS]
       ./install.sh [OPTIONS]

  --system         for the whole machine, with a user and a systemd service of its own; needs root   [as root]
  --user           for you alone, below your home                                                    [else]
  --prefix DIR     only the binary, to DIR/bin
  --domain NAME    serve HTTPS for this name; goes into settings that are written for the first time
  --listen ADDR    where to listen, like 0.0.0.0:3000; the same
  --from URL|DIR   where the release is; so does CAMPFIRE_BASE_URL. In a checkout it is built, without either
  --native         build for the processor of this machine; the file may not run on an older one
  --pgo            build twice, the second time for what the first one was seen to do
  --no-start       neither enable nor start the service
  --no-backup      replace an older version without a backup of its data
  --uninstall      stop it and take it away; settings and data stay
  --purge          with --uninstall: settings and data go too
  --version        tell which version is installed, and which one would be
  --help           this
TEXT
}

say() { printf '%s\n' "$*"; }

stop() {
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

has() { command -v "$1" >/dev/null 2>&1; }

# Sets the paths of this mode.
places() {
    case $mode in
        system)
            bin=/usr/local/bin
            data=/var/lib/campfire
            config=/etc/campfire/campfire.toml
            units=/etc/systemd/system
            ;;
        user)
            home=${HOME:?is not set; name a directory with --prefix}
            bin=$home/.local/bin
            data=${XDG_DATA_HOME:-$home/.local/share}/campfire
            config=${XDG_CONFIG_HOME:-$home/.config}/campfire/campfire.toml
            units=${XDG_CONFIG_HOME:-$home/.config}/systemd/user
            ;;
        prefix) bin=$prefix/bin ;;
    esac
}

# systemctl, for the system or for the user.
service() {
    case $mode in
        system) systemctl "$@" ;;
        *) systemctl --user "$@" ;;
    esac
}

# Whether systemd can run our service (sd_booted(3)).
has_systemd() {
    if [ "$mode" = prefix ] || ! has systemctl || [ ! -d /run/systemd/system ]; then return 1; fi
    [ "$mode" = system ] || systemctl --user show-environment >/dev/null 2>&1
}

sum_of() {
    if has sha256sum; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif has shasum; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    elif has openssl; then
        openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
    else
        stop "there is no sha256sum, shasum or openssl to check a file with; install one of them"
    fi
}

# Whether nobody on the way can replace what comes from $from: by https, or from this machine.
is_safe() {
    host=${from#http://}
    host=${host%%/*}
    case $from,${host%:[0-9]*} in
        https://*,* | *,localhost | *,"[::1]") ;;
        *,127.*) case ${host%:*} in *[!0-9.]*) return 1 ;; esac ;;
        *) return 1 ;;
    esac
}

# fetch NAME FILE: gets a file of the release.
fetch() {
    case $from in
        /* | ./* | ../* | .) cp "$from/$1" "$2" 2>/dev/null || stop "there is no $1 in $from" ;;
        file:///*) cp "${from#file://}/$1" "$2" 2>/dev/null || stop "there is no $1 in ${from#file://}" ;;
        https://* | http://*)
            is_safe || stop "what comes from $from by http can be replaced on its way, with its SHA256SUMS; use https or a directory" 2
            if has curl; then
                # Redirects may not lead from https to http.
                case $from in https://*) only='=https' ;; *) only='=http,https' ;; esac
                curl -fsSL --proto "$only" --proto-redir "$only" --retry 3 -o "$2" "$from/$1" || stop "cannot download $from/$1; is the address right, and is there a way out?"
            elif has wget; then
                wget -q -O "$2" "$from/$1" || stop "cannot download $from/$1; is the address right, and is there a way out?"
            else
                stop "there is neither curl nor wget to download with; install one of them"
            fi
            ;;
        *) stop "--from (or CAMPFIRE_BASE_URL) has to be an https address or a directory, not \"$from\"" 2 ;;
    esac
}

# The release's name for this machine's architecture.
architecture() {
    kernel=$(uname -s)
    [ "$kernel" = Linux ] || stop "there are binaries for Linux only, and this is $kernel"
    machine=$(uname -m)
    case $machine in
        x86_64 | amd64) echo x86_64 ;;
        aarch64 | arm64) echo aarch64 ;;
        armv7* | armv8l) echo armv7 ;;
        armv6*) stop "there is no binary for $machine (a Pi Zero or a first Pi); ARMv7 or later is needed" ;;
        *) stop "there is no binary for $machine; build it from a checkout with ./install.sh" ;;
    esac
}

# Downloads the binary to $new and checks its sum.
download() {
    name=campfire-$(architecture)-linux
    say "Taking $name from $from"
    fetch SHA256SUMS "$work/SHA256SUMS"
    fetch "$name" "$new"
    wanted=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\$/\1/p" "$work/SHA256SUMS")
    [ -n "$wanted" ] || stop "SHA256SUMS of $from has no line for $name; nothing was changed"
    found=$(sum_of "$new")
    [ "$found" = "$wanted" ] || stop "$name has the SHA-256 $found and not $wanted: it was damaged or tampered with on its way; nothing was changed"
    chmod 755 "$new"
}

# Builds the binary from the checkout and copies it to $new.
build() {
    has cargo || stop "cargo is missing; install Rust from https://rustup.rs and try again"
    has cc || stop "a C compiler is missing (SQLite is compiled in); on Debian: apt-get install build-essential"
    host=$(rustc -vV | sed -n 's/^host: //p')
    case $profile in
        release) (cd "$checkout" && cargo build --release --locked) ;;
        release-native) (cd "$checkout" && cargo release-native --locked) ;;
        pgo) build_guided ;; # sets $guided
    esac || stop "it could not be built; nothing was changed"
    case $profile in
        pgo) built=$guided ;;
        # The host is named as the target (.cargo/config.toml), so its name is part of the path.
        *) built=${CARGO_TARGET_DIR:-$checkout/target}/$host/$profile/campfire ;;
    esac
    [ -x "$built" ] || stop "the build ended well, but $built is not there"
    cp "$built" "$new"
    chmod 755 "$new"
}

# Profile-guided optimisation: builds an instrumented binary, runs it for a minute, and builds again with the profile.
build_guided() {
    guided=${CARGO_TARGET_DIR:-$checkout/target}/pgo
    mkdir -p "$guided"
    guide "target.'cfg(all())'.rustflags = ['-C', 'profile-generate=$work/seen']" || return 1
    say "Watching it work for a minute"
    watch_it_work "$guided/$host/release/campfire" || return 1
    merge_profiles || stop "there is no llvm-profdata that reads what this Rust writes; rustup component add llvm-tools, or on Debian: apt-get install llvm-19"
    guide "target.'cfg(all())'.rustflags = ['-C', 'profile-use=$work/profile']" || return 1
    guided=$guided/$host/release/campfire
}

guide() { (cd "$checkout" && cargo build --release --locked --target-dir "$guided" --config "$1"); }

watch_it_work() {
    export LLVM_PROFILE_FILE="$work/seen/%m-%p.profraw"
    CAMPFIRE_POST_LIMIT=0 "$1" demo --listen 127.0.0.1:0 2>"$work/demo" &
    demo=$!
    until grep -qs 'listening on' "$work/demo"; do
        kill -0 $demo 2>/dev/null || stop "the instrumented binary did not start: $(cat "$work/demo")"
        sleep 0.2
    done
    url=$(sed -n 's/.*listening on //p' "$work/demo")
    # Each scenario for some seconds at full rate.
    for scenario in mixed list send sockets search health; do
        if ! "$1" bench "$url" --scenario $scenario --users 50 --rate max --ramp 1 --duration 8 >"$work/bench" 2>&1; then
            kill $demo
            cat "$work/bench" >&2
            stop "the bench of $scenario failed, so there is no profile to trust; build it without --pgo"
        fi
    done
    kill $demo
    wait $demo || true
    unset LLVM_PROFILE_FILE
}

# The toolchain's own llvm-profdata first, then the newest: older ones cannot read newer profiles.
merge_profiles() {
    for tool in "$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" \
        llvm-profdata-24 llvm-profdata-23 llvm-profdata-22 llvm-profdata-21 llvm-profdata-20 llvm-profdata-19 llvm-profdata; do
        if has "$tool" && "$tool" merge -o "$work/profile" "$work"/seen/*.profraw 2>/dev/null; then return; fi
    done
    return 1
}

# Replaces the binary atomically and keeps the previous one.
place_binary() {
    version=$("$new" --version 2>/dev/null) || stop "the new binary does not run on this machine; nothing was changed"
    mkdir -p "$bin" 2>/dev/null || stop "cannot make $bin; name another place with --prefix, or be root"
    replaced=
    if [ -f "$bin/campfire" ] && cmp -s "$new" "$bin/campfire"; then
        say "$version is in $bin/campfire already"
        return
    fi
    beside=$bin/.campfire.$$
    if ! { cp "$new" "$beside" && chmod 755 "$beside"; } 2>/dev/null; then
        rm -f "$beside"
        stop "cannot write to $bin; name another place with --prefix, or be root"
    fi
    if [ -f "$bin/campfire" ]; then
        if ! back_up; then
            rm -f "$beside"
            stop "there is no backup; nothing was changed; --no-backup goes on without one"
        fi
        ln -f "$bin/campfire" "$bin/campfire.previous"
        replaced=yes
    fi
    mv -f "$beside" "$bin/campfire"
    say "$version is in $bin/campfire"
}

# Backs the data up with the version that is replaced, as campfire upgrade does: into backup_dir, or beside the data.
back_up() {
    if [ "$mode" = prefix ] || [ -n "$no_backup" ] || [ ! -e "$config" ]; then return 0; fi
    # An old version may refuse settings that are new; they would look empty below, as if there were no data.
    "$bin/campfire" serve --config "$config" --print-config >/dev/null || return 1
    from_data=$(setting data)
    [ -e "$from_data/campfire.db" ] || return 0
    to=$(setting backup_dir)
    [ -n "$to" ] || to=${from_data%/*}
    # If its disk is not mounted, the directory is an ordinary one of the disk that is to be backed up.
    if [ "$(cat "$from_data/campfire.backups" 2>/dev/null)" = "$to" ] && [ ! -e "$to/.campfire-backups" ]; then
        say "$to is not the directory of the backups before; mount its disk, or if it is a new one: touch $to/.campfire-backups" >&2
        return 1
    fi
    stem=$to/campfire-before-${version##* }
    file=$stem.tar.zst
    count=1
    while [ -e "$file" ]; do
        count=$((count + 1))
        file=$stem-again-$count.tar.zst
    done
    say "Backing up to $file"
    "$bin/campfire" backup --config "$config" "$file" || return 1
    # The user of the server can read it, even if root made it.
    [ "$mode" != system ] || chown --reference="$from_data" "$file" 2>/dev/null || chown campfire "$file" || true
}

make_user() {
    if id campfire >/dev/null 2>&1; then
        return
    elif has useradd; then
        useradd --system --user-group --no-create-home --home-dir "$data" --shell /usr/sbin/nologin campfire
    elif has adduser; then
        adduser -S -D -H -h "$data" -s /sbin/nologin campfire
    else
        stop "there is neither useradd nor adduser; make a user campfire and run this again"
    fi || stop "cannot make the user campfire"
}

# Whether this machine has only private addresses (RFC 1918, RFC 6598): then others on its network may connect.
is_at_home() {
    addresses=
    if has ip; then
        addresses=$(ip -o -4 addr show 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
    elif has hostname; then
        addresses=$(hostname -I 2>/dev/null || true)
    fi
    at_home=no
    for address in $addresses; do
        case $address in
            127.*) ;;
            10.* | 192.168.* | 172.1[6-9].* | 172.2[0-9].* | 172.3[01].* | 169.254.* | 100.6[4-9].* | 100.[7-9][0-9].* | 100.1[01][0-9].* | 100.12[0-7].*) at_home=yes ;;
            *.*.*.*) return 1 ;;
        esac
    done
    [ $at_home = yes ]
}

# Settings are written once and never overwritten.
write_config() {
    if [ -e "$config" ]; then
        say "The settings in $config stay as they are"
        [ -z "$domain$listen" ] || say "  (--domain and --listen are for new ones; edit that file)"
        return
    fi
    directory=${config%/*}
    mkdir -p "$directory" || stop "cannot make $directory"
    [ "$mode" = user ] || chmod 755 "$directory"
    if [ -z "$listen$domain" ]; then
        if [ "$mode" = system ] && is_at_home; then listen=0.0.0.0:3000; else listen=127.0.0.1:3000; fi
    fi
    {
        say "# Settings of Campfire. \`campfire serve --help\` tells all that there are."
        say "data = \"$data\""
        [ -z "$domain" ] || say "domain = \"$domain\""
        [ -z "$listen" ] || say "listen = \"$listen\""
    } >"$directory/.campfire.toml.$$"
    if [ "$mode" = system ]; then
        # It may contain a token later.
        chgrp campfire "$directory/.campfire.toml.$$" && chmod 640 "$directory/.campfire.toml.$$"
    else
        chmod 600 "$directory/.campfire.toml.$$"
    fi
    mv "$directory/.campfire.toml.$$" "$config"
    say "Settings are in $config"
}

# The value of a setting, as the binary prints it.
setting() {
    "$bin/campfire" serve --config "$config" --print-config | sed -n "s/^$1 = \"\([^\"]*\)\".*/\1/p"
}

# write_unit NAME: writes a unit from standard input, unless the existing one was edited.
write_unit() {
    cat >"$work/unit"
    sum=$(sum_of "$work/unit")
    unit=$units/$1
    if [ -e "$unit" ]; then
        sed -n '1s/^# Written by install.sh; your changes belong into a drop-in (systemctl edit). Sum: //p' "$unit" >"$work/claimed"
        sed 1d "$unit" >"$work/found"
        if [ "$(cat "$work/claimed")" != "$(sum_of "$work/found")" ]; then
            say "$unit was changed by somebody and stays as it is"
            return
        fi
    fi
    mkdir -p "$units"
    {
        say "# Written by install.sh; your changes belong into a drop-in (systemctl edit). Sum: $sum"
        cat "$work/unit"
    } >"$units/.$1.$$"
    chmod 644 "$units/.$1.$$"
    mv -f "$units/.$1.$$" "$unit"
}

# remove_unit NAME: removes a unit that this script wrote.
remove_unit() {
    if grep -qs '^# Written by install.sh; ' "$units/$1"; then rm -f "$units/$1"; fi
}

# Socket units: systemd keeps the sockets open, so that connections wait while the server restarts.
write_sockets() {
    address=$(setting listen)
    [ -n "$address" ] || stop "cannot read the settings in $config; see $bin/campfire serve --config $config --print-config"
    write_unit campfire.socket <<UNIT
[Unit]
Description=Where Campfire listens
Documentation=https://example.org/campfire

[Socket]
# As \`listen\` in $config has it; run install.sh again after a change.
ListenStream=$address
FileDescriptorName=http
BindIPv6Only=both
Backlog=4096
NoDelay=true

[Install]
WantedBy=sockets.target
UNIT
    sockets=campfire.socket
    redirect=
    if [ -n "$(setting domain)$(setting tls_cert)" ]; then
        redirect=$(setting http_listen)
        [ "$redirect" != off ] || redirect=
        if [ "$redirect" = auto ]; then
            case $address in *:443) redirect=${address%:443}:80 ;; *) redirect= ;; esac
        fi
    fi
    if [ -n "$redirect" ]; then
        write_unit campfire-redirect.socket <<UNIT
[Unit]
Description=Where Campfire sends HTTP on to HTTPS

[Socket]
ListenStream=$redirect
FileDescriptorName=redirect
Service=campfire.service
BindIPv6Only=both

[Install]
WantedBy=sockets.target
UNIT
        sockets="campfire.socket campfire-redirect.socket"
    elif [ -e "$units/campfire-redirect.socket" ]; then
        if has_systemd; then service disable --now campfire-redirect.socket >/dev/null 2>&1 || true; fi
        remove_unit campfire-redirect.socket
    fi
}

write_service() {
    write_unit campfire.service <<UNIT
[Unit]
Description=Campfire, team chat
Documentation=https://example.org/campfire
Wants=network-online.target
After=network-online.target $sockets
Requires=campfire.socket
# No limit on restarts: a disk may be mounted late.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=$bin/campfire serve --config $config
Sockets=$sockets
Restart=on-failure
RestartSec=2
# Exit status 2 means wrong settings, which a restart does not change.
RestartPreventExitStatus=2
WatchdogSec=30
# A migration of much data may take long; stopping takes 10 s at most.
TimeoutStartSec=15min
TimeoutStopSec=20
LimitNOFILE=1048576
$(hardening)
$(elsewhere)

[Install]
WantedBy=$1
Also=$sockets
UNIT
}

# Paths outside its own directory to which the service writes.
elsewhere() {
    backups=$(setting backup_dir)
    case $mode,$backups in
        system,/*)
            say "# As \`backup_dir\` in $config has it; the leading - lets it start while that disk is away."
            say "ReadWritePaths=-$backups"
            ;;
    esac
}

# Confines the service to what it needs.
hardening() {
    if [ "$mode" = user ]; then
        echo NoNewPrivileges=true
        return
    fi
    cat <<'UNIT'
User=campfire
Group=campfire
StateDirectory=campfire
StateDirectoryMode=0700
ConfigurationDirectory=campfire
UMask=0077
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
PrivateMounts=true
DevicePolicy=closed
ProtectClock=true
ProtectHostname=true
ProtectControlGroups=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
RemoveIPC=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
MemoryDenyWriteExecute=true
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# For the limit of open files, and the scheduling of background work.
SystemCallFilter=prlimit64 setrlimit sched_setaffinity setpriority ioprio_set
SystemCallErrorNumber=EPERM
UNIT
}

# Waits until the healthcheck succeeds.
is_well() {
    tries=0
    until "$bin/campfire" healthcheck --config "$config" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || return 1
        sleep 0.5
    done
}

start_service() {
    service daemon-reload
    # shellcheck disable=SC2086 # one or two names
    service enable $sockets campfire.service >/dev/null 2>&1 || stop "systemctl could not enable the service; see: systemctl status campfire"
    # shellcheck disable=SC2086
    if service is-active --quiet campfire.service; then
        service restart campfire.service
    else
        service start $sockets campfire.service
    fi || started=failed
    [ "${started:-}" = failed ] || is_well || started=failed
    if [ "${started:-}" = failed ]; then
        if [ -n "$replaced" ]; then
            mv -f "$bin/campfire.previous" "$bin/campfire"
            service restart campfire.service || true
            stop "the new version did not come up, so the old one is back; the log tells why: $(log_command)"
        fi
        stop "the service did not come up; the log tells why: $(log_command)"
    fi
}

log_command() {
    case $mode in
        system) echo "journalctl -u campfire" ;;
        *) echo "journalctl --user -u campfire" ;;
    esac
}

# The URL for a browser.
address_for_people() {
    url=$(setting public_url)
    names=$(setting domain)
    address=$(setting listen)
    if [ -n "$url" ]; then
        echo "$url"
    elif [ -n "$names" ]; then
        case $address in
            *:443) echo "https://${names%%,*}" ;;
            *) echo "https://${names%%,*}:${address##*:}" ;;
        esac
    else
        scheme=http
        [ -z "$(setting tls_cert)" ] || scheme=https
        case $address in
            0.0.0.0:* | "[::]:"*) echo "$scheme://$(uname -n):${address##*:}" ;;
            *) echo "$scheme://$address" ;;
        esac
    fi
}

what_next() {
    case :$PATH: in
        *:"$bin":*) run=campfire ;;
        *) run=$bin/campfire ;;
    esac
    say
    if [ "$mode" = prefix ]; then
        [ "$run" = campfire ] || say "$bin is not in your PATH."
        say "What next? To look around first, with nothing of it staying:"
        say "  $run demo"
        say "To serve on http://127.0.0.1:3000, with all data in one directory; the first visitor sets it up:"
        say "  $run serve --data DIR"
        say "All settings:"
        say "  $run serve --help"
        return
    fi
    if [ "$running" = yes ]; then
        say "Campfire runs. Open $(address_for_people)"
        say "and set it up: the first visitor is its administrator."
        say
        say "  its log            $(log_command) -f"
        if [ "$mode" = user ]; then
            say "  to stay when you log out    loginctl enable-linger"
        fi
    else
        say "No service was started. To run it here:"
        say "  $run serve --config $config"
        say "then open $(address_for_people)"
        say "and set it up: the first visitor is its administrator."
        say
    fi
    say "  settings           $config, then: systemctl $([ "$mode" = system ] || echo '--user ')restart campfire"
    case $(setting listen) in
        127.0.0.1:* | "[::1]:"*)
            say "  it listens to this machine only; for others: listen = \"0.0.0.0:3000\" in the settings, or domain = \"…\""
            say "  for HTTPS, and run install.sh again"
            ;;
    esac
    say "  is all in order?   $run doctor --config $config"
    say "  a backup           $run backup --config $config FILE.tar.zst"
    say "  a newer version    run this again, or: $run upgrade --config $config"
}

uninstall() {
    places
    for unit in campfire.service campfire.socket campfire-redirect.socket; do
        if [ "$mode" = prefix ] || [ ! -e "$units/$unit" ]; then continue; fi
        if has_systemd; then service disable --now $unit >/dev/null 2>&1 || true; fi
        remove_unit $unit
    done
    if has_systemd; then service daemon-reload || true; fi
    if [ -e "$bin/campfire" ]; then
        rm -f "$bin/campfire" "$bin/campfire.previous" || stop "cannot remove $bin/campfire; be root, or say --user or --prefix"
        say "$bin/campfire is gone"
    else
        say "There is no $bin/campfire"
    fi
    [ "$mode" != prefix ] || return 0
    if [ -n "$purge" ]; then
        rm -rf "$data" "$config"
        rmdir "${config%/*}" 2>/dev/null || true
        if [ "$mode" = system ] && id campfire >/dev/null 2>&1; then
            if has userdel; then userdel campfire; elif has deluser; then deluser campfire; fi || true
        fi
        say "$data and $config are gone too"
    else
        [ ! -e "$data" ] || say "$data has all data, and stays; --uninstall --purge removes it"
        [ ! -e "$config" ] || say "$config stays as well"
    fi
}

show_versions() {
    places
    if [ -x "$bin/campfire" ]; then
        say "installed: $("$bin/campfire" --version), in $bin"
    else
        say "installed: none in $bin"
    fi
    if [ -n "$checkout" ]; then
        say "in this checkout: campfire $(sed -n 's/^version = "\(.*\)"/\1/p' "$checkout/Cargo.toml" | head -n 1)"
    else
        fetch VERSION "$work/VERSION"
        say "newest: campfire $(cat "$work/VERSION")"
    fi
}

# Sets $checkout if this file is in one; piped into a shell it has no path.
find_checkout() {
    case $0 in
        */install.sh | install.sh)
            directory=$(cd "$(dirname "$0")" && pwd)
            if grep -qs '^name = "campfire"' "$directory/Cargo.toml"; then checkout=$directory; fi
            ;;
    esac
}

main() {
    mode='' prefix='' domain='' listen='' profile='' start=yes no_backup='' purge='' action=install
    checkout='' from=${CAMPFIRE_BASE_URL:-} running=no guided=''
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix | --domain | --listen | --from)
                [ $# -ge 2 ] || stop "$1 needs a value" 2
                option=$1 value=$2
                shift
                ;;
            --prefix=* | --domain=* | --listen=* | --from=*) option=${1%%=*} value=${1#*=} ;;
            *) option=$1 value= ;;
        esac
        case $option in
            --system) mode=system ;;
            --user) mode=user ;;
            --prefix) mode=prefix prefix=$value ;;
            --domain) domain=$value ;;
            --listen) listen=$value ;;
            --from) from=$value ;;
            --native) profile=release-native ;;
            --pgo) profile=pgo ;;
            --no-start) start= ;;
            --no-backup) no_backup=yes ;;
            --uninstall) action=uninstall ;;
            --purge) purge=yes ;;
            --version) action=version ;;
            -h | --help)
                usage
                exit 0
                ;;
            *) stop "there is no option $option; --help tells what there is" 2 ;;
        esac
        shift
    done
    [ -z "$purge" ] || [ $action = uninstall ] || stop "--purge goes with --uninstall" 2
    case $domain$listen in *[!A-Za-z0-9.:,_\[\]-]*) stop "--domain and --listen take a name and an address" 2 ;; esac
    if [ -z "$mode" ]; then
        if [ "$(id -u)" -eq 0 ]; then mode=system; else mode=user; fi
    fi
    if [ $mode = system ] && [ "$(id -u)" -ne 0 ] && [ $action != version ]; then
        stop "--system needs root: try it with sudo, or say --user"
    fi
    # Relative to the caller's directory.
    case $prefix in '' | /*) ;; *) prefix=$PWD/$prefix ;; esac
    case $from in '' | /* | *://*) ;; *) from=$PWD/$from ;; esac
    from=${from%/}
    work=$(mktemp -d) || stop "cannot make a temporary directory"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    new=$work/campfire

    if [ $action = uninstall ]; then
        uninstall
        return
    fi
    [ -n "$from" ] || find_checkout
    [ -n "$from$checkout" ] || from=$RELEASES
    [ -z "$profile" ] || [ -n "$checkout" ] || stop "--native and --pgo build it, which takes a checkout" 2
    profile=${profile:-release}
    if [ $action = version ]; then
        show_versions
        return
    fi

    places
    if [ -n "$checkout" ]; then build; else download; fi
    [ $mode != system ] || make_user
    place_binary
    if [ $mode != prefix ]; then
        write_config
        if has_systemd || [ -d "${units%/*}" ]; then
            write_sockets
            case $mode in system) write_service multi-user.target ;; *) write_service default.target ;; esac
        fi
        if [ -n "$start" ] && has_systemd; then
            start_service
            running=yes
        fi
    fi
    what_next
}

main "$@"
