# Helpers of the scripts here: where things are, saying what happens, running something long, asking for the system's packages.

rostrum_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
rostrum_cache=${ROSTRUM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rostrum}

# hash_of FILE…: of their names and what is in them.
hash_of() {
  local sha256=sha256sum
  command -v sha256sum >/dev/null || sha256='shasum -a 256'
  $sha256 "$@" | $sha256 | cut -c 1-16
}

say() { printf 'rostrum: %s\n' "$*"; }

# fail SENTENCE [MORE…]: ends the script; what more there is to say comes below it.
fail() {
  printf 'rostrum: %s\n' "$1" >&2
  shift
  [ $# = 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

# run_long WHAT COMMAND…: runs it with its output in a log in $logs. Shows where it is (the latest line on a terminal, a line now
# and then elsewhere), and when it fails, the end of the log, which is then kept.
run_long() {
  local what=$1 log=${1//[^a-z0-9]/-} started=$SECONDS
  log=$logs/${log:0:40}.log
  shift
  say "$what…"
  if "$@" </dev/null 2>&1 | tee "$log" | show_progress; then
    say "$what: done in $((SECONDS - started)) s"
  else
    keep_logs=yes
    printf '%s\n' '' "The end of $log:" >&2
    tail -n 25 "$log" | sed 's/^/  | /' >&2
    return 1
  fi
}

show_progress() {
  local line shown=$SECONDS
  while IFS= read -r line; do
    if [ -t 1 ]; then
      printf '\r\033[K  %.*s' "$((${COLUMNS:-80} - 4))" "${line//$'\r'/}"
    elif [ $((SECONDS - shown)) -ge 15 ]; then
      printf '  %.110s\n' "${line//$'\r'/}"
      shown=$SECONDS
    fi
  done
  if [ -t 1 ]; then printf '\r\033[K'; fi
}

# system_packages WHY PACKAGE…: installs Debian packages where that is possible without a question; else says what to run.
system_packages() {
  local why=$1
  shift
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    run_long "installing $why ($*)" apt_install "$@" ||
      fail 'Some packages could not be installed. Try it by hand, then run this again:' "apt-get update && apt-get install $*"
  else
    fail "This machine lacks $why. Install that, then run this again. On Debian or Ubuntu:" \
      "sudo apt-get update && sudo apt-get install -y $*"
  fi
}

apt_install() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300)
  # The package lists are fetched only when those on this machine do not do: on a fresh system there are none, an old one's are stale.
  "${install[@]}" "$@" || { apt-get update && "${install[@]}" "$@"; }
}

# limited SECONDS COMMAND…
limited() {
  if command -v timeout >/dev/null; then timeout "$@"; else shift && "$@"; fi
}
