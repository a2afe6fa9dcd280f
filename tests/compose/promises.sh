# What a deployment promises, held to it: sourced by `run`. Everything here goes through the operator's command, the
# engine, and the simulator's journal.

held() { printf '    held: %s\n' "$*"; }

broken() {
    echo "BROKEN: $*" >&2
    return 1
}

container() { docker compose --profile sim ps --quiet "$1"; }

healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]; }

nothing_secret_in_the_configuration() {
    local shown file
    shown=$(docker compose --profile sim config)
    for file in hubkeep-secrets/*.password; do
        ! grep -qF "$(cat "$file")" <<<"$shown" || broken "$file stands in the configuration"
    done
    ! grep -q 'PRIVATE KEY' <<<"$shown" || broken "a private key stands in the configuration"
    held "the configuration that the engine is given holds no secret"
}

containers_are_bound() {
    local service
    for service in postgres credential-service crm-service hubspot-sim; do
        docker inspect --format '{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}' \
            "$(container "$service")" | grep -qx '65532:65532 true \[ALL\] \[no-new-privileges:true\]' \
            || broken "$service is not bound"
    done
    for service in postgres credential-service crm-service; do
        healthy "$service" || broken "$service is not healthy"
    done
    if docker inspect $(docker ps --quiet) | grep '"HostIp"' | grep -vE '"(127\.0\.0\.1|)"'; then
        broken "a port is open beyond loopback"
    fi
    held "no root, no writable files, no capabilities, ports on loopback, all healthy"
}

strangers_are_refused() {
    local ended=0
    curl --silent --output /dev/null --cacert hubkeep-certs/ca.crt https://localhost:7401/ || ended=$?
    [ "$ended" -ne 0 ] || broken "credential-service let somebody in without a certificate"
    # Another CA, with the same names.
    hubkeep certs init --dir "$work/calls/other-ca" >/dev/null
    hubkeep certs issue operator/ann --dir "$work/calls/other-ca" >/dev/null
    ended=0
    HUBKEEP_CERT=$work/calls/other-ca/operator-ann.crt HUBKEEP_KEY=$work/calls/other-ca/operator-ann.key \
        hubkeep portals >/dev/null 2>&1 || ended=$?
    [ "$ended" -ne 0 ] || broken "a certificate of another CA was let in"
    # crm-service's database is not credential-service's.
    ! docker compose exec -T postgres sh -c \
        'PGPASSWORD=$(cat /run/secrets/crm_database_password) psql --host 127.0.0.1 --username crm credential --command "select 1"' \
        >/dev/null 2>&1 || broken "crm-service's role can read the vault"
    held "no certificate, another CA's, another service's role: refused"
}

# Nobody has a handle unless a grant says so.
granted() {
    hubkeep grants put operators --caller 'operator/*' --portals acme --allow get,list,update --types contacts >/dev/null
}

handle() { granted && hubkeep handle issue acme --allow get,list,update --types contacts --purpose trial --lifetime 15m; }

# Writes until the file "enough" is there, one process and connection each, and notes how each ended. A write tells
# more than a read: whether it may have been sent without our knowing is an exit code of its own.
call_on() {
    local ended number=0
    while [ ! -e "$work/calls/enough" ]; do
        number=$((number + 1)) ended=0
        hubkeep --timeout 20s crm update acme contacts "$record" --set "phone=$1-$number" \
            >/dev/null 2>>"$work/calls/errors" || ended=$?
        echo "$ended" >>"$work/calls/ended-$1"
    done
}

callers=()
kill_children() {
    mkdir -p "$work/calls" && touch "$work/calls/enough"
    local child
    for child in "${callers[@]}"; do kill "$child" 2>/dev/null; wait "$child" 2>/dev/null; done
}

done_so_far() { cat "$work"/calls/ended-* 2>/dev/null | grep -cx 0 || true; }

more_done_than() { [ "$(done_so_far)" -gt "$1" ]; }

calls_survive_restarts() {
    mkdir -p "$work/calls"
    HUBKEEP_HANDLE=$(handle)
    export HUBKEEP_HANDLE
    # The first contact of every account of the simulator.
    record=101
    local caller service
    for caller in 1 2 3; do
        call_on "$caller" &
        callers+=($!)
    done
    within 20 "the first calls" more_done_than 10
    for service in crm-service credential-service; do
        docker compose restart "$service" >/dev/null 2>&1
        back "$service" "restart"
    done
    for service in crm-service credential-service; do
        docker compose kill -s TERM "$service" >/dev/null 2>&1
        within 50 "$service ends" ended "$service"
        [ "$(docker inspect --format '{{.State.ExitCode}}' "$(container "$service")")" = 0 ] \
            || broken "$service did not end well on SIGTERM"
        docker compose --profile sim up --detach >/dev/null 2>&1
        back "$service" "SIGTERM"
    done
    touch "$work/calls/enough"
    for caller in "${callers[@]}"; do wait "$caller"; done
    callers=()
    tally
}

ended() { [ "$(docker inspect --format '{{.State.Status}}' "$(container "$1")")" = exited ]; }

back() {
    within 90 "$1 is healthy again after $2" healthy "$1"
    within 30 "calls succeed again after $2 of $1" more_done_than "$(($(done_so_far) + 3))"
    held "calls go on after $2 of $1"
}

# 0 is done, 4 refused, 5 not reached. 6 is a connection that broke under the caller, who cannot know more: the witness
# does, and holds that as many writes were made as were told done.
tally() {
    local told
    told=$(sort "$work"/calls/ended-* | uniq -c | awk '{ printf "%s×exit %s  ", $1, $2 }')
    if grep -qxvE '0|4|5|6' "$work"/calls/ended-*; then
        sort "$work/calls/errors" | uniq -c | sort -rn | head -20 >&2
        broken "calls ended otherwise: $told"
    fi
    grep "may or may not" "$work/calls/errors" | sed "s/.*(/(/" | sort | uniq -c | sed "s/^/    unknown to the caller: /" || true
    held "every call ended clearly: $told"
}

every_request_is_on_the_log() {
    curl --silent --fail --cacert hubkeep-certs/ca.crt https://localhost:4030/_sim/journal >"$work/calls/journal.json"
    hubkeep --json audit list --from crm-service --limit 1000000 >"$work/calls/entries.json"
    python3 "$here/witness.py" "$work/calls/journal.json" "$work/calls/entries.json" "$(done_so_far)"
}

the_backup_is_whole() {
    local database
    for database in credential credential_audit crm crm_audit; do
        grep -q "CREATE DATABASE $database " hubkeep-backup.sql || broken "$database is not in the backup"
    done
    [ "$(stat --format %a hubkeep-backup.sql)" = 600 ] || broken "the backup can be read by others"
    ! grep -q 'pat-na1-' hubkeep-backup.sql || broken "a token stands in the backup"
    held "four databases, no token in clear"
}
