#!/bin/sh
# Makes a backup of Redis, verifies it and keeps the newest backups. It runs in any POSIX shell with redis-cli and its tools, as in
# every Redis image. docs/backup.md is its guide. The file redis_backup.prom in BACKUP_DIR gives Prometheus the time of the newest
# good backup.
#
#   BACKUP_DIR               the folder for backups; default /backup
#   BACKUP_KIND              snapshot (default): over the network, without access to the disk of the server
#                            rdb: BGSAVE and a copy of its file; aof: a copy of the append-only file up to this moment
#   BACKUP_KEEP              the number of backups to keep; default 7
#   BACKUP_TIMEOUT_SECONDS   the most time that a backup may take; default 600
#   REDIS_DATA_DIR           for rdb and aof: the folder of the server; default /data
#   REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_TLS=yes, REDIS_CACERT
#   REDIS_PASSWORD_FILE      a file whose first line is the password; or set REDISCLI_AUTH. There is no argument for it, because
#                            everybody on the machine can read arguments
#
# Exit codes: 0 the backup is complete and verified; 1 it failed; 2 wrong usage.
set -eu
umask 077

REDIS_HOST=${REDIS_HOST:-127.0.0.1}
REDIS_PORT=${REDIS_PORT:-6379}
REDIS_DATA_DIR=${REDIS_DATA_DIR:-/data}
[ "${REDIS_TLS:-}" = yes ] || REDIS_TLS=
BACKUP_DIR=${BACKUP_DIR:-/backup}
BACKUP_KIND=${BACKUP_KIND:-snapshot}
BACKUP_KEEP=${BACKUP_KEEP:-7}
BACKUP_TIMEOUT_SECONDS=${BACKUP_TIMEOUT_SECONDS:-600}

fail() {
  echo "redis-backup: $*" >&2
  exit 1
}

usage() {
  echo "redis-backup: $*" >&2
  exit 2
}

# Each call has the time limit of the whole backup.
cli() {
  timeout "$BACKUP_TIMEOUT_SECONDS" redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" ${REDIS_USERNAME:+--user "$REDIS_USERNAME"} \
    ${REDIS_TLS:+--tls} ${REDIS_CACERT:+--cacert "$REDIS_CACERT"} "$@"
}

check_usage() {
  [ $# -eq 0 ] || usage "takes no arguments; its settings are variables"
  case $BACKUP_KIND in snapshot | rdb | aof) ;; *) usage "BACKUP_KIND is '$BACKUP_KIND'; expected snapshot, rdb or aof" ;; esac
  case $BACKUP_KEEP in '' | *[!0-9]* | 0) usage "BACKUP_KEEP is '$BACKUP_KEEP'; expected a number from 1" ;; esac
  case $BACKUP_TIMEOUT_SECONDS in '' | *[!0-9]* | 0) usage "BACKUP_TIMEOUT_SECONDS is '$BACKUP_TIMEOUT_SECONDS'; expected a number from 1" ;; esac
  [ -d "$BACKUP_DIR" ] || usage "BACKUP_DIR is '$BACKUP_DIR', which is no folder"
  [ "$BACKUP_KIND" = snapshot ] || [ -d "$REDIS_DATA_DIR" ] || usage "REDIS_DATA_DIR is '$REDIS_DATA_DIR', which is no folder"
}

read_password() {
  [ -n "${REDIS_PASSWORD_FILE:-}" ] || return 0
  [ -r "$REDIS_PASSWORD_FILE" ] || usage "REDIS_PASSWORD_FILE names $REDIS_PASSWORD_FILE, which cannot be read"
  REDISCLI_AUTH=$(head -n 1 "$REDIS_PASSWORD_FILE")
  export REDISCLI_AUTH
}

# Prints a setting of the server, or the given default when the user may not read CONFIG.
setting() {
  found=$(cli config get "$1" | sed -n 2p)
  echo "${found:-$2}"
}

persistence() {
  cli info persistence | tr -d '\r' | sed -n "s/^$1://p"
}

check_time() {
  [ "$(date +%s)" -lt "$deadline" ] || fail "the server took longer than $BACKUP_TIMEOUT_SECONDS s"
}

# Redis runs one child process at a time: a scheduled save, or a rewrite of the append-only file.
wait_until_idle() {
  while [ "$(persistence rdb_bgsave_in_progress)" != 0 ] || [ "$(persistence aof_rewrite_in_progress)" != 0 ]; do
    check_time
    sleep 1
  done
}

save() {
  wait_until_idle
  last=$(cli lastsave)
  # LASTSAVE counts seconds, so two saves within the same second look equal.
  while [ "$(cli time | head -n 1)" -le "$last" ]; do sleep 1; done
  until answer=$(cli bgsave) && [ "$answer" = 'Background saving started' ]; do
    case $answer in *progress* | *child*) ;; *) fail "BGSAVE: $answer" ;; esac
    check_time
    sleep 1
  done
  wait_until_idle
  status=$(persistence rdb_last_bgsave_status)
  [ "$status" = ok ] || fail "the server could not save: its log says why (rdb_last_bgsave_status is $status)"
  [ "$(cli lastsave)" -gt "$last" ] || fail "the server has not saved"
}

check_rdb() {
  redis-check-rdb "$1" >"$work/check" 2>&1 || fail "the file is damaged: $(tail -n 1 "$work/check")"
}

back_up_snapshot() {
  cli --rdb "$work/backup" >"$work/log" 2>&1 ||
    fail "the server sent no snapshot: $(tail -n 1 "$work/log")"
  check_rdb "$work/backup"
}

back_up_rdb() {
  file=$REDIS_DATA_DIR/$(setting dbfilename dump.rdb)
  touch "$work/before"
  save
  [ -n "$(find "$file" -newer "$work/before" 2>/dev/null)" ] || fail "$file is not what the server has saved: is REDIS_DATA_DIR its folder?"
  cp "$file" "$work/backup"
  check_rdb "$work/backup"
}

back_up_aof() {
  [ "$(persistence aof_enabled)" = 1 ] || fail "the server has no append-only file: take BACKUP_KIND=rdb or snapshot"
  name=$(setting appendfilename appendonly.aof)
  folder=$(setting appenddirname appendonlydir)
  tries=20
  until wait_until_idle && copy_aof; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || fail "no copy of the append-only file is whole: $(tail -n 1 "$work/check")"
    check_time
    sleep 1
  done
  tar -czf "$work/backup" -C "$work/copy" . || fail "the copy cannot be packed"
}

# Copies the files up to their present length, because Redis continues to write to the last one. Since Redis 7.0 there are several
# files and a manifest that lists them. When the manifest has not changed after the copy, the files were not rewritten meanwhile.
copy_aof() {
  rm -rf "$work/copy"
  mkdir -p "$work/copy/$folder"
  echo 'it was rewritten while it was copied' >"$work/check"
  if [ -f "$REDIS_DATA_DIR/$folder/$name.manifest" ]; then
    cp "$REDIS_DATA_DIR/$folder/$name.manifest" "$work/manifest" || return 1
    sed '/ type h$/d' "$work/manifest" >"$work/copy/$folder/$name.manifest"
    while read -r _ file _; do
      copy_present "$REDIS_DATA_DIR/$folder/$file" "$work/copy/$folder/$file" || return 1
    done <"$work/copy/$folder/$name.manifest"
    cmp -s "$REDIS_DATA_DIR/$folder/$name.manifest" "$work/manifest" || return 1
    redis-check-aof "$work/copy/$folder/$name.manifest" >"$work/check" 2>&1
  elif [ -f "$REDIS_DATA_DIR/$name" ]; then
    rmdir "$work/copy/$folder"
    copy_present "$REDIS_DATA_DIR/$name" "$work/copy/$name" || return 1
    redis-check-aof "$work/copy/$name" >"$work/check" 2>&1
  else
    fail "there is no append-only file in $REDIS_DATA_DIR: is it the server's folder?"
  fi
}

copy_present() {
  [ -f "$1" ] || return 1
  head -c "$(wc -c <"$1")" "$1" >"$2"
}

# Gives the complete backup its name, then deletes the oldest ones.
keep() {
  until target=$BACKUP_DIR/redis_backup_$(date -u +%Y%m%d_%H%M%S).$1 && [ ! -e "$target" ]; do sleep 1; done
  sync
  mv "$work/backup" "$target"
  set -- "$BACKUP_DIR"/redis_backup_*
  while [ $# -gt "$BACKUP_KEEP" ]; do
    rm -- "$1"
    shift
  done
  echo "$target"
}

# Writes the time of the newest good backup for the textfile collector of node_exporter, which runs as another user.
record_success() {
  {
    echo '# HELP redis_backup_last_success_timestamp_seconds When the newest good backup was made.'
    echo '# TYPE redis_backup_last_success_timestamp_seconds gauge'
    echo "redis_backup_last_success_timestamp_seconds $(date +%s)"
  } >"$work/metrics"
  chmod 644 "$work/metrics"
  mv "$work/metrics" "$BACKUP_DIR/redis_backup.prom"
}

check_usage "$@"
read_password
deadline=$(($(date +%s) + BACKUP_TIMEOUT_SECONDS))
work=$BACKUP_DIR/.partial.$$
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# Deletes the remains of killed backups.
find "$BACKUP_DIR" -name '.partial.*' -mtime +0 -prune -exec rm -rf {} +
mkdir "$work"
answer=$(cli ping 2>&1) || true
[ "$answer" = PONG ] || fail "the server at $REDIS_HOST:$REDIS_PORT says: $answer"
case $BACKUP_KIND in
  snapshot) back_up_snapshot; keep rdb ;;
  rdb) back_up_rdb; keep rdb ;;
  aof) back_up_aof; keep aof.tar.gz ;;
esac
record_success
