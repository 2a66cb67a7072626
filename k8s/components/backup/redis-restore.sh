#!/bin/sh
# Puts a backup of redis-backup.sh into the folder of a Redis that does not run; start it afterwards. docs/backup.md says how.
#
#   redis-restore.sh [--force] FILE
#
#   --force            what is in the folder is moved aside, to before_restore_<time>, instead of the restore being refused
#   REDIS_DATA_DIR     the server's folder; default /data
#   REDIS_APPENDONLY   yes or no, as the server will be started: it reads only the one or the other. Needed for an .rdb
#   REDIS_HOST, REDIS_PORT, REDIS_TLS=yes, REDIS_CACERT   where the server would answer, if it ran
#   REDIS_DBFILENAME, REDIS_APPENDFILENAME, REDIS_APPENDDIRNAME   where they are not the usual ones
#
# Exit codes: 0 the backup is in its place; 1 it is not, and nothing was changed; 2 wrong usage.
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

# Whatever it answers: it would write over what is restored.
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

# Into $work/new, as it will lie in the folder.
unpack() {
  mkdir "$work/new"
  case $backup in
    *.rdb)
      check_rdb "$backup"
      # An append-only file may begin with a snapshot, and end there; from 7.0 Redis makes several of the one by itself.
      if [ "$REDIS_APPENDONLY" = yes ]; then target=$aof; else target=$rdb; fi
      cp "$backup" "$work/new/$target"
      ;;
    *)
      tar -xzf "$backup" -C "$work/new" 2>"$work/check" || fail "$backup is damaged: $(tail -n 1 "$work/check")"
      if [ -f "$work/new/$folder/$aof.manifest" ]; then check_aof "$work/new/$folder/$aof.manifest"; else check_aof "$work/new/$aof"; fi
      ;;
  esac
}

# All that Redis would read.
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
