#!/bin/sh
# The password comes by standard input: it is in no list of processes, and in no file but the Secret's.
exec redis-server "${REDIS_CONFIG_FILE:-/etc/redis/redis.conf}" - <<END
requirepass "$(cat "$REDIS_PASSWORD_FILE")"
END
