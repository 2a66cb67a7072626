#!/bin/sh
# Puts a backup of redis-backup.sh into the folder of a stopped Redis. Start Redis afterwards. docs/backup.md is the guide.
#
#   redis-restore.sh [--force] FILE
#
#   --force            moves the data in the folder to before_restore_<time>; without it, the script refuses a folder with data
#   REDIS_DATA_DIR     the folder of the server; default /data
#   REDIS_APPENDONLY   yes or no: the setting of the server, which decides which file it reads. Required for an .rdb
#   REDIS_HOST, REDIS_PORT, REDIS_TLS=yes, REDIS_CACERT   the address of the server, to check that it is stopped
#   REDIS_DBFILENAME, REDIS_APPENDFILENAME, REDIS_APPENDDIRNAME   when the server has other names than the defaults
#
# Exit codes: 0 the backup is in place; 1 it is not, and nothing was changed; 2 wrong usage.
set -eu
umask 077

REDIS_HOST=${REDIS_HOST:-127.0.0.1}
REDIS_PORT=${REDIS_PORT:-6379}
REDIS_DATA_DIR=${REDIS_DATA_DIR:-/data}
[ "${REDIS_TLS:-}" = yes ] || REDIS_TLS=
rdb=${REDIS_DBFILENAME:-dump.rdb}
aof=${REDIS_APPENDFILENAME:-appendonly.aof}
folder=${REDIS_APPENDDIRNAME:-appendonlydir}

fail() {
  echo "redis-restore: $*" >&2
  exit 1
}

usage() {
  echo "redis-restore: $*" >&2
  exit 2
}

check_usage() {
  case $backup in
    *.rdb)
      case ${REDIS_APPENDONLY:-} in yes | no) ;; *) usage "say REDIS_APPENDONLY=yes or no, as the server will be started: it reads nothing else" ;; esac
      ;;
    *.aof.tar.gz)
      [ "${REDIS_APPENDONLY:-yes}" = yes ] || usage "a server without appendonly does not read an append-only file"
      ;;
    *) usage "expected a file that ends in .rdb or .aof.tar.gz" ;;
  esac
  [ -r "$backup" ] || usage "$backup cannot be read"
  [ -d "$REDIS_DATA_DIR" ] || usage "REDIS_DATA_DIR is '$REDIS_DATA_DIR', which is no folder"
}

# Any answer counts, because a running server would overwrite the restored data.
check_stopped() {
  answer=$(redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" ${REDIS_TLS:+--tls} ${REDIS_CACERT:+--cacert "$REDIS_CACERT"} ping 2>/dev/null) || answer=
  [ -z "$answer" ] || fail "a server answers at $REDIS_HOST:$REDIS_PORT: stop it first"
}

check_rdb() {
  redis-check-rdb "$1" >"$work/check" 2>&1 || fail "$backup is damaged: $(tail -n 1 "$work/check")"
}

check_aof() {
  redis-check-aof "$1" >"$work/check" 2>&1 || fail "$backup is damaged: $(tail -n 1 "$work/check")"
}

# Writes the files to $work/new under the names that they get in the folder.
unpack() {
  mkdir "$work/new"
  case $backup in
    *.rdb)
      check_rdb "$backup"
      # A snapshot alone is a valid append-only file. Since 7.0, Redis splits it into several files by itself.
      if [ "$REDIS_APPENDONLY" = yes ]; then target=$aof; else target=$rdb; fi
      cp "$backup" "$work/new/$target"
      ;;
    *)
      tar -xzf "$backup" -C "$work/new" 2>"$work/check" || fail "$backup is damaged: $(tail -n 1 "$work/check")"
      if [ -f "$work/new/$folder/$aof.manifest" ]; then check_aof "$work/new/$folder/$aof.manifest"; else check_aof "$work/new/$aof"; fi
      ;;
  esac
}

# Moves every file that Redis would read.
move_aside() {
  aside=$REDIS_DATA_DIR/before_restore_$(date -u +%Y%m%d_%H%M%S)
  for name in "$rdb" "$aof" "$folder"; do
    [ -e "$REDIS_DATA_DIR/$name" ] || continue
    [ "$force" = yes ] || fail "there is a $name in $REDIS_DATA_DIR: --force moves it aside"
    mkdir -p "$aside"
    mv "$REDIS_DATA_DIR/$name" "$aside/"
  done
}

force=no
if [ "${1:-}" = --force ]; then
  force=yes
  shift
fi
[ $# -eq 1 ] || usage "expected one file: redis-restore.sh [--force] FILE"
backup=$1
check_usage
check_stopped
work=$REDIS_DATA_DIR/.restore.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work"
unpack
move_aside
mv "$work"/new/* "$REDIS_DATA_DIR/"
sync
echo "redis-restore: $backup is in $REDIS_DATA_DIR; start Redis"
