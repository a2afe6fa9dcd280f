# Runs a new PostgreSQL until standard input ends, and leaves nothing behind.
#
#   sh -c "$(cat serve.sh)" serve BINARIES PORT [NAME=VALUE]...
#
# Standard input: a line with the password of every role, then a line for each restart, until its end. The test process
# holds the other end of that pipe, so however it ends, the server ends too. Standard output: "ready FOLDER" after each
# start, or why not. Settings beside our own come last, so that they decide.
set -eu
umask 077
exec 2>&1
binaries=$1
port=$2
shift 2
server=
temporary=${TMPDIR:-/tmp}
[ -w "$temporary" ] || temporary=/tmp
folder=$(mktemp -d "$temporary/hubkeep-postgres-XXXXXX")

leave() {
    trap '' EXIT INT TERM HUP
    if [ -n "$server" ]; then
        kill -QUIT "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$folder"
}
trap leave EXIT
trap 'exit 1' INT TERM HUP
trap '' PIPE

read -r password
printf '%s\n' "$password" >"$folder/password"

"$binaries/initdb" --pgdata="$folder/data" --username=postgres --pwfile="$folder/password" --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync --no-instructions >"$folder/log" || { cat "$folder/log"; exit 1; }

settings="listen_addresses=127.0.0.1 unix_socket_directories= port=$port shared_buffers=64MB max_connections=400"
# A commit is on disk when it returns, as in production; the rest is small, for a short life.
settings="$settings fsync=on synchronous_commit=on jit=off wal_level=minimal max_wal_senders=0 $*"
options=
for setting in $settings; do options="$options -c $setting"; done

start() {
    # The options have no spaces in them.
    # shellcheck disable=SC2086
    "$binaries/postgres" -D "$folder/data" $options >>"$folder/log" 2>&1 </dev/null &
    server=$!
    until grep -qs '^ready' "$folder/data/postmaster.pid"; do
        kill -0 "$server" 2>/dev/null || { cat "$folder/log"; exit 1; }
        sleep 0.05
    done
    echo "ready $folder" || true
}

start
while read -r signal; do
    kill "-$signal" "$server"
    wait "$server" || true
    # Left behind where it had no time to tidy up: it would say "ready" of the server that is gone.
    rm -f "$folder/data/postmaster.pid"
    start
done
