# Sourced by the set-up scripts: makes sure that what cmake/packages.txt lists is there.
#
#     . cmake/packages.sh
#     packages_need build data
#
# What is there is left alone, and then nothing touches the network. What is missing is installed with apt-get where that is possible
# (Debian or Ubuntu, as root or with a sudo that asks nothing); elsewhere the script says what to install and stops. Libraries that no
# package manager vouches for are CMake's to find and to report. VARVE_NO_INSTALL=1 forbids installing.
# Afterwards $PYTHON is a Python that has the modules.

packages_table=$(dirname "${BASH_SOURCE[0]}")/packages.txt

# Lines of the table for some groups: probe|debian|fedora|conda|spack|module, without blanks around the fields.
packages_rows() {
    local groups=" $* " group rest
    while IFS='|' read -r group rest; do
        group=${group// /}
        [[ -z $group || $group == \#* || $groups != *" $group "* ]] && continue
        sed 's/ *| */|/g; s/^ *//; s/ *$//' <<<"$rest"
    done <"$packages_table"
}

packages_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# The first Python that has all modules named; fails when there is none.
packages_python() {
    local python module code="import sys"
    for module in "$@"; do code+=", $module"; done
    for python in "${PYTHON:-python3}" /usr/bin/python3; do
        if command -v "$python" >/dev/null && "$python" -c "$code" 2>/dev/null; then
            PYTHON=$python
            return 0
        fi
    done
    return 1
}

# Whether the thing of a line is there.
packages_present() {
    local kind=${1%%:*} name=${1#*:} debian=$2
    case $kind in
        cmd) command -v "$name" >/dev/null ;;
        py) packages_python "$name" ;;
        lib | data) ! command -v dpkg-query >/dev/null || packages_installed "$debian" ;;
    esac
}

# Sets `missing` to the lines of what is not there.
packages_missing() {
    local probe debian rest
    missing=()
    while IFS='|' read -r probe debian rest; do
        packages_present "$probe" "$debian" || missing+=("$probe|$debian|$rest")
    done < <(packages_rows "$@")
}

# Field number $1 of the missing lines, those that have a package there.
packages_column() {
    printf '%s\n' "${missing[@]}" | cut -d'|' -f"$1" | grep -vx -e - | awk '!seen[$0]++ { print ($0 ~ /[*]/ ? "\x27" $0 "\x27" : $0) }' | tr '\n' ' '
}

packages_advice() {
    echo "These are missing: $(printf '%s\n' "${missing[@]}" | sed 's/|.*//; s/^[a-z]*://' | tr '\n' ' ')" >&2
    cat >&2 <<END
What to install:
  Debian, Ubuntu:       apt-get install --no-install-recommends $(packages_column 2)
  Fedora:               dnf install $(packages_column 3)  (then: module load mpi/openmpi-x86_64)
  conda-forge:          conda install -c conda-forge $(packages_column 4)
  Spack:                spack install $(packages_column 5)  (then: spack load ...)
  environment modules:  module load $(packages_column 6)  (names differ: module avail)
MPI and HDF5 have to come from the same place.
END
}

packages_need() {
    local missing as_root=() only_libraries
    packages_missing "$@"
    [ ${#missing[@]} = 0 ] && return 0
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    if [ -z "$VARVE_NO_INSTALL" ] && command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
        echo "Installing: $(packages_column 2)"
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $(packages_column 2) || {
            echo "apt-get failed; its messages are above." >&2
            exit 1
        }
        hash -r
        packages_missing "$@"
        [ ${#missing[@]} = 0 ] && return 0
    fi
    only_libraries=$(printf '%s\n' "${missing[@]}" | grep -v -e '^lib:' -e '^data:')
    [ -z "$only_libraries" ] && return 0 # perhaps from Spack, conda or a module: CMake will see
    packages_advice
    exit 1
}
