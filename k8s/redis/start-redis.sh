#!/bin/sh
# Starts Redis with the users of docs/secure.md. The default user is off. Each other user has its passwords in a file:
#
#   start-redis.sh             replaces this process by Redis
#   start-redis.sh passwords   sets the present passwords of the files in the running Redis, and prints the number for each user
#
#   REDIS_PASSWORD_FILE            passwords of jobs, the user of API and workers
#   REDIS_BACKUP_PASSWORD_FILE     passwords of backup, the user of redis-backup.sh
#   REDIS_OPERATOR_PASSWORD_FILE   passwords of operator, who can also run `npx async-endpoints audit`
#   REDIS_CONFIG_FILE              default /etc/redis/redis.conf
#   REDIS_RUN_DIR                  default /run/redis: a folder in memory that only this container sees
#   REDIS_PORT                     of the running Redis; default 6379
#
# A file holds one password, or two during a rotation, one per line: Redis accepts both, and clients log in with the first. The server
# gets hashes of them by standard input, so that no list of processes shows them and no file besides the Secret has them. The command
# `passwords` logs in as a user that can only change users, with a new random password for each start.
set -eu

REDIS_RUN_DIR=${REDIS_RUN_DIR:-/run/redis}

# The rules that accessRules() of nestjs-async-endpoints/redis returns; a test compares them. Another prefix, database or number of
# partitions needs other rules.
JOBS='resetkeys ~{ae:0}:* resetchannels &ae:0:* -@all +asking +bzpopmin +cluster|info +cluster|slots +del +eval +evalsha +exec +exists +get +hdel +hexists +hget +hgetall +hincrby +hlen +hmget +hscan +hset +hsetnx +info +lindex +llen +lpop +lrange +multi +pexpire +ping +publish +pubsub|numsub +quit +readonly +rpush +sadd +set +smembers +srem +sscan +subscribe +time +unsubscribe +zadd +zcard +zrange +zrangebyscore +zrank +zrem'
AUDITS='+scan +pttl +type +lrem'
BACKUP='resetkeys resetchannels -@all +ping +sync +psync +replconf'
ADMIN='resetkeys resetchannels -@all +acl|setuser'

fail() {
  echo "start-redis: $*" >&2
  exit 1
}

# Prints the hashes of the passwords in a file, as ACL rules. Arguments: name of the user, file.
hashes() {
  [ -r "$2" ] || fail "$2 cannot be read; expected the password of $1"
  count=0
  while IFS= read -r password || [ -n "$password" ]; do
    [ -n "$password" ] || continue
    count=$((count + 1))
    [ $count -le 2 ] || fail "$2 has more than two lines; expected one or two passwords of $1"
    hash=$(printf %s "$password" | sha256sum)
    printf '#%s ' "${hash%% *}"
  done <"$2"
  [ $count -gt 0 ] || fail "$2 is empty; expected the password of $1"
}

read_passwords() {
  jobs=$(hashes jobs "$REDIS_PASSWORD_FILE")
  backup=$(hashes backup "$REDIS_BACKUP_PASSWORD_FILE")
  operator=$(hashes operator "$REDIS_OPERATOR_PASSWORD_FILE")
}

start() {
  (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1 >"$REDIS_RUN_DIR/admin-password")
  admin=$(hashes admin "$REDIS_RUN_DIR/admin-password")
  exec redis-server "${REDIS_CONFIG_FILE:-/etc/redis/redis.conf}" - <<END
user default off
user jobs on $jobs $JOBS
user backup on $backup $BACKUP
user operator on $operator $JOBS $AUDITS
user admin on $admin $ADMIN
END
}

# Sets the passwords of a user. Open connections stay open. Arguments: name of the user, hashes of its passwords.
set_passwords() {
  answer=$(echo "ACL SETUSER $1 resetpass $2" | redis-cli -p "${REDIS_PORT:-6379}" --user admin 2>&1) || true
  [ "$answer" = OK ] || fail "the passwords of $1 were not set: $answer"
  echo "$1 $(echo "$2" | wc -w)"
}

case ${1:-start} in
  start)
    read_passwords
    start
    ;;
  passwords)
    read_passwords
    REDISCLI_AUTH=$(cat "$REDIS_RUN_DIR/admin-password")
    export REDISCLI_AUTH
    set_passwords jobs "$jobs"
    set_passwords backup "$backup"
    set_passwords operator "$operator"
    ;;
  *)
    echo "usage: $0 [passwords]" >&2
    exit 2
    ;;
esac
