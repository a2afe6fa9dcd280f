# Runs a new PostgreSQL until standard input ends, and leaves nothing behind.
#
#   sh -c "$(cat serve.sh)" serve BINARIES PORT
#
# Standard input: a line with the password of every role, then nothing until its end. The test process holds the other
# end of that pipe, so however it ends, the server ends too. Standard output: "ready FOLDER", or why not.
set -eu
umask 077
exec 2>&1
binaries=$1
port=$2
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

# A commit is on disk when it returns, as in production; the rest is small, for a short life.
"$binaries/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c fsync=on -c synchronous_commit=on -c shared_buffers=64MB -c max_connections=400 -c jit=off \
    -c wal_level=minimal -c max_wal_senders=0 >"$folder/log" 2>&1 </dev/null &
server=$!

until grep -qs '^ready' "$folder/data/postmaster.pid"; do
    kill -0 "$server" 2>/dev/null || { cat "$folder/log"; exit 1; }
    sleep 0.05
done
echo "ready $folder" || true
cat >/dev/null
