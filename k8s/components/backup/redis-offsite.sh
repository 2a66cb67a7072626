#!/bin/sh
# Copies the backups of redis-backup.sh to an S3-compatible storage, and back. It runs in any POSIX shell with rclone 1.60 or newer,
# as in the image rclone/rclone. docs/backup.md is its guide.
#
#   redis-offsite.sh upload            uploads each new backup of BACKUP_DIR, then downloads the newest and compares it
#   redis-offsite.sh list              prints the names of the backups in the storage, the oldest first
#   redis-offsite.sh download [NAME]   downloads the newest backup, or NAME, into BACKUP_DIR
#
#   BACKUP_DIR                 default /backup
#   S3_ENDPOINT                a URL, such as https://s3.eu-central-1.amazonaws.com
#   S3_BUCKET, S3_PREFIX       the bucket, and a folder in it; the default prefix is redis
#   S3_REGION                  default us-east-1, which storages without regions expect
#   S3_ACCESS_KEY_FILE, S3_SECRET_KEY_FILE   files with the access key and the secret key
#   OFFSITE_TIMEOUT_SECONDS    the most time that each transfer may take; default 600
#
# Other settings of rclone are variables, such as RCLONE_S3_SERVER_SIDE_ENCRYPTION=AES256. The script deletes and overwrites nothing:
# the key needs the rights to read, list and write objects, and a lifecycle rule of the bucket decides how long it keeps them.
#
# Exit codes: 0 done; 1 failed; 2 wrong usage.
set -eu
umask 077

BACKUP_DIR=${BACKUP_DIR:-/backup}
S3_PREFIX=${S3_PREFIX:-redis}
OFFSITE_TIMEOUT_SECONDS=${OFFSITE_TIMEOUT_SECONDS:-600}

fail() {
  echo "redis-offsite: $*" >&2
  exit 1
}

usage() {
  echo "redis-offsite: $*" >&2
  exit 2
}

# Prints the first line of a file. Arguments: name of the variable, file.
key() {
  [ -n "$2" ] || usage "$1 is missing; expected a file"
  [ -r "$2" ] || usage "$1 names $2, which cannot be read"
  head -n 1 "$2"
}

check_usage() {
  [ -n "${S3_ENDPOINT:-}" ] || usage "S3_ENDPOINT is missing; expected a URL"
  [ -n "${S3_BUCKET:-}" ] || usage "S3_BUCKET is missing; expected the name of a bucket"
  [ -d "$BACKUP_DIR" ] || usage "BACKUP_DIR is '$BACKUP_DIR', which is no folder"
  case $OFFSITE_TIMEOUT_SECONDS in '' | *[!0-9]* | 0) usage "OFFSITE_TIMEOUT_SECONDS is '$OFFSITE_TIMEOUT_SECONDS'; expected a number from 1" ;; esac
  access_key=$(key S3_ACCESS_KEY_FILE "${S3_ACCESS_KEY_FILE:-}")
  secret_key=$(key S3_SECRET_KEY_FILE "${S3_SECRET_KEY_FILE:-}")
}

# Describes the storage to rclone in variables: rclone needs no file of its own, and the list of processes shows no key.
configure() {
  export RCLONE_CONFIG=/dev/null
  export RCLONE_CONFIG_OFFSITE_TYPE=s3
  export RCLONE_CONFIG_OFFSITE_PROVIDER=Other
  export RCLONE_CONFIG_OFFSITE_ENDPOINT="$S3_ENDPOINT"
  export RCLONE_CONFIG_OFFSITE_REGION="${S3_REGION:-us-east-1}"
  export RCLONE_CONFIG_OFFSITE_ACCESS_KEY_ID="$access_key"
  export RCLONE_CONFIG_OFFSITE_SECRET_ACCESS_KEY="$secret_key"
  # Without this check, the key needs no right to create buckets.
  export RCLONE_S3_NO_CHECK_BUCKET=true
  # Fail within a minute when the storage is unreachable; the CronJob tries again.
  export RCLONE_RETRIES="${RCLONE_RETRIES:-1}" RCLONE_LOW_LEVEL_RETRIES="${RCLONE_LOW_LEVEL_RETRIES:-2}"
  export RCLONE_CONTIMEOUT="${RCLONE_CONTIMEOUT:-10s}" RCLONE_TIMEOUT="${RCLONE_TIMEOUT:-60s}"
}

offsite() {
  timeout "$OFFSITE_TIMEOUT_SECONDS" rclone --log-level ERROR "$@"
}

list() {
  offsite lsf --files-only --include 'redis_backup_*' "$there" | sort
}

newest_here() {
  find "$BACKUP_DIR" -maxdepth 1 -type f -name 'redis_backup_*' | sed 's#.*/##' | sort | tail -n 1
}

upload() {
  newest=$(newest_here)
  [ -n "$newest" ] || fail "there is no backup in $BACKUP_DIR"
  offsite copy --ignore-existing --max-depth 1 --include 'redis_backup_*' "$BACKUP_DIR" "$there" || fail "$where did not take the backups"
  offsite check --download --one-way --include "$newest" "$BACKUP_DIR" "$there" || fail "$newest is not the same at $where"
  echo "$where/$newest"
}

download() {
  name=${1:-$(list | tail -n 1)}
  [ -n "$name" ] || fail "there is no backup at $where"
  offsite copyto "$there/$name" "$BACKUP_DIR/.$name.partial" || fail "$where did not give $name"
  # For a missing object, rclone copies an empty folder.
  [ -f "$BACKUP_DIR/.$name.partial" ] || fail "there is no $name at $where"
  mv "$BACKUP_DIR/.$name.partial" "$BACKUP_DIR/$name"
  echo "$BACKUP_DIR/$name"
}

verb=${1:-}
case "$verb $#" in
  'upload 1' | 'list 1' | 'download 1' | 'download 2') ;;
  *) usage "expected upload, list or download [NAME]" ;;
esac
shift
check_usage
configure
where=$S3_ENDPOINT/$S3_BUCKET/$S3_PREFIX
there=offsite:$S3_BUCKET/$S3_PREFIX
"$verb" "$@"
