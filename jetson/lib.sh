# shellcheck shell=bash
# What the bring-up scripts share: options, the device profile, and changes that are planned, made once and taken back.
# Sourced by them; sets `profile`, `mode` (plan, apply, undo) and `step`.
#
# FORGE_DEVICE_ROOT: put before every path that is read or written, for tests. Programs are called as they are.

root=${FORGE_DEVICE_ROOT:-}
# Where the files really are: an installation shows them under another name.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
undo_folder=$root/var/lib/forge-device/undo
mode=plan profile='' step=''

die() {
    echo "$step: $*" >&2
    exit 1
}

# begin STEP DESCRIPTION [ARGUMENT...]: read the options and find the profile.
begin() {
    step=$1
    local description=$2 asked=''
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) mode=plan ;;
            --apply) mode=apply ;;
            --undo) mode=undo ;;
            --profile)
                [ $# -ge 2 ] || usage "$description" 2 >&2
                asked=$2
                shift
                ;;
            --help | -h) usage "$description" 0 ;;
            *) usage "$description" 2 >&2 ;;
        esac
        shift
    done
    profile=${asked:-$(probe)}
    [ -n "$profile" ] || die "no profile fits this machine; --profile takes one of: $(profile_names)"
    [ -f "$here/profiles/$profile.conf" ] || die "there is no profile '$profile'; there are: $(profile_names)"
    if [ "$mode" != plan ] && [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then
        die "must be run as root (with sudo)"
    fi
    echo "$step: $description ($(value says))"
    [ "$mode" != undo ] || take_back
}

usage() {
    cat <<END
$step: $1
  --dry-run        print what would be done and do nothing (the default)
  --apply          do it; doing it twice changes nothing more
  --undo           put back what --apply changed
  --profile NAME   $(profile_names) (default: as this machine is probed)
END
    exit "$2"
}

profile_names() {
    local file
    for file in "$here"/profiles/*.conf; do basename "$file" .conf; done | tr '\n' ' '
}

# probe: print the profile that fits this machine, or nothing. The same as forge_edge/device/probe.py; a test compares.
probe() {
    local model file pattern vendor
    model=$(tr -d '\0' 2>/dev/null <"$root/proc/device-tree/model") || model=''
    [ -n "$model" ] || model=$(cpu_line Model)
    vendor=$(cpu_line vendor_id)
    for file in "$here"/profiles/*.conf; do
        if [ -n "$model" ]; then
            while IFS= read -r pattern; do
                # shellcheck disable=SC2053 # a pattern is what it is
                [[ $model == $pattern ]] && basename "$file" .conf && return
            done < <(sed -n 's/^model=//p' "$file")
        elif [ ! -e "$root/etc/nv_tegra_release" ] && [ -n "$vendor" ] && grep -qxF "vendor=$vendor" "$file"; then
            basename "$file" .conf
            return
        fi
    done
    return 0
}

# cpu_line KEY: print the first value that /proc/cpuinfo has for a key, or nothing.
cpu_line() {
    sed -n "s/^$1[[:space:]]*: //p" "$root/proc/cpuinfo" 2>/dev/null | head -n 1 || true
}

# value KEY: print the profile's values of a key, one a line.
value() {
    sed -n "s/^$1=//p" "$here/profiles/$profile.conf"
}

# units: print the folder of the units, which lies beside this one in a checkout, a bundle and an installation alike.
units() {
    cd "$here/../systemd" && pwd
}

# does COMMAND...: do it, or say that it would be done.
does() {
    if [ "$mode" = apply ]; then
        echo "  does: $*"
        "$@"
    else
        echo "  would do: $*"
    fi
}

# puts FILE: make a file of what stands on standard input; what was there before can be put back.
puts() {
    local file=$1 target=$root$1 content kept
    content=$(cat)
    if [ -f "$target" ] && [ "$(cat "$target")" = "$content" ]; then
        echo "  is there: $file"
        return
    fi
    if [ "$mode" != apply ]; then
        echo "  would write: $file"
        printf '%s\n' "$content" | sed 's/^/    | /'
        return
    fi
    echo "  writes: $file"
    kept=$undo_folder/$step/$(printf '%s' "$file" | tr / %)
    if [ ! -e "$kept" ] && [ ! -e "$kept.none" ]; then
        install -d -m 700 "$undo_folder" "$undo_folder/$step"
        if [ -f "$target" ]; then cp -p "$target" "$kept"; else touch "$kept.none"; fi
    fi
    mkdir -p "$(dirname "$target")"
    printf '%s\n' "$content" >"$target.new"
    # By its digest --undo sees whether somebody has changed it since.
    digest "$target.new" >"$undo_folder/$step/written-$(basename "$kept")"
    chmod 644 "$target.new"
    mv "$target.new" "$target"
}

digest() {
    sha256sum <"$1"
}

# copies FROM TO: as `puts`, of a file that lies beside the scripts.
copies() {
    [ -f "$1" ] || die "$(basename "$1") does not lie where it should: install the node again"
    if [ "$mode" = apply ]; then
        puts "$2" <"$1"
    elif cmp -s "$1" "$root$2"; then
        echo "  is there: $2"
    else
        echo "  would copy: $(basename "$1") to $2"
    fi
}

# appends FILE NAME=VALUE: have a line for NAME in a file of settings, whatever its value is. --undo takes this line out.
appends() {
    local file=$1 target=$root$1 line=$2
    if grep -qs "^${line%%=*}=" "$target"; then
        echo "  is there: ${line%%=*} in $file"
    elif [ "$mode" != apply ]; then
        echo "  would add to $file: $line"
    else
        echo "  adds to $file: $line"
        remembers "line-${line%%=*}" "$target $line"
        mkdir -p "$(dirname "$target")"
        # What may hold a camera's password is nobody else's to read.
        [ -e "$target" ] || install -m 600 /dev/null "$target"
        printf '%s\n' "$line" >>"$target"
    fi
}

# remembers NAME VALUE: keep the first value under a name for --undo.
remembers() {
    [ "$mode" = apply ] || return 0
    install -d -m 700 "$undo_folder" "$undo_folder/$step"
    [ -e "$undo_folder/$step/$1.value" ] || printf '%s\n' "$2" >"$undo_folder/$step/$1.value"
}

remembered() {
    cat "$undo_folder/$step/$1.value" 2>/dev/null || true
}

# needs PACKAGE...: have packages of the system installed. They stay at --undo: others may use them by then.
needs() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
    done
    if [ "${#missing[@]}" -eq 0 ]; then
        echo "  is there: $*"
    else
        does apt-get update --quiet --quiet
        does env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
    fi
}

is_in() {
    id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -x "$2" >/dev/null
}

# joins USER GROUP...: have a user in groups.
joins() {
    local user=$1 group
    shift
    for group in "$@"; do
        getent group "$group" >/dev/null || continue
        if is_in "$user" "$group"; then
            echo "  is there: $user in group $group"
        else
            remembers "joined-$user-$group" yes
            does usermod --append --groups "$group" "$user"
        fi
    done
}

# puts_back KEPT FILE: undo what `puts` did to a file, unless somebody has changed it since.
puts_back() {
    local kept=$1 file=$2 target=$root$2 written
    written=$undo_folder/$step/written-$(basename "$kept" .none)
    if [ -e "$target" ] && [ -e "$written" ] && [ "$(digest "$target")" != "$(cat "$written")" ] &&
        ! cmp -s "$kept" "$target"; then
        echo "  was changed since: leaves $file"
        case $kept in
            *.none) ;;
            *)
                echo "  what it was before lies beside it: $file.before-forge"
                does cp -p "$kept" "$target.before-forge"
                ;;
        esac
        return
    fi
    case $kept in
        *.none) does rm -f "$target" ;;
        *)
            # By one rename: half a copy would look like somebody's change.
            does cp -p "$kept" "$target.new"
            does mv "$target.new" "$target"
            ;;
    esac
}

# take_back: undo what was recorded, and end; cut short, the same again goes on. A step with more to undo defines
# `undo_first` or `undo_more`, for before and after its files; both may be called twice.
take_back() {
    local kept file line user group
    if [ ! -d "$undo_folder/$step" ]; then
        echo "  nothing to put back"
        exit 0
    fi
    mode=apply
    if declare -F undo_first >/dev/null; then undo_first; fi
    for kept in "$undo_folder/$step"/%*; do
        [ -e "$kept" ] || continue
        puts_back "$kept" "$(basename "$kept" .none | tr % /)"
        rm "$kept"
    done
    for kept in "$undo_folder/$step"/line-*.value; do
        [ -e "$kept" ] || continue
        read -r file line <"$kept"
        if [ -f "$file" ]; then does sed -i "/^${line//\//\\/}\$/d" "$file"; fi
        rm "$kept"
    done
    for kept in "$undo_folder/$step"/joined-*.value; do
        [ -e "$kept" ] || continue
        file=$(basename "$kept" .value)
        file=${file#joined-}
        user=${file%-*} group=${file##*-}
        if is_in "$user" "$group"; then does gpasswd --delete "$user" "$group"; fi
        rm "$kept"
    done
    if declare -F undo_more >/dev/null; then undo_more; fi
    rm -r "${undo_folder:?}/$step"
    exit 0
}
