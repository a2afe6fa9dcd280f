# A Docker engine of our own, on a socket and a folder of our own: sourced by `run`. It touches neither the machine's
# engine nor its firewall.

# Installs what is missing, and starts the engine in the folder $1.
engine_start() {
    engine=$1
    mkdir -p "$engine"
    # Compose reads its own settings from the environment; only those of the file count here.
    unset COMPOSE_FILE COMPOSE_PROFILES DOCKER_CONTEXT
    export DOCKER_HOST="unix://$engine/docker.sock" DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
    # In a session of its own: ctrl-c must not take the engine away from the clean-up.
    setsid dockerd --data-root "$engine/data" --exec-root "$engine/exec" --pidfile "$engine/dockerd.pid" \
        --host "$DOCKER_HOST" --iptables=false --ip6tables=false --ip-masq=false >"$engine/dockerd.log" 2>&1 &
    engine_process=$!
    within 60 "the engine answers" docker info
}

# Ends the engine, and removes its folder unless KEEP=1.
engine_stop() {
    kill "$engine_process" 2>/dev/null || true
    wait "$engine_process" 2>/dev/null || true
    umount "$engine/exec/netns/default" 2>/dev/null || true
    if [ "${KEEP:-0}" != 1 ]; then
        rm -rf "$engine"
    fi
}

# within SECONDS WHAT COMMAND…: runs the command until it succeeds.
within() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ]; then
            echo "not in time: $what" >&2
            return 1
        fi
        sleep 0.3
    done
}

# A folder $1 for the PATH in which `docker compose` works also where only docker-compose is installed. That one knows
# no `up --wait`: it waits for what others depend on, and the rest is waited for here.
compose_shim() {
    mkdir -p "$1"
    local docker
    docker=$(command -v docker)
    cat >"$1/docker" <<SHIM
#!/usr/bin/env bash
set -euo pipefail
if [ "\${1:-}" != compose ] || "$docker" compose version >/dev/null 2>&1; then
    exec "$docker" "\$@"
fi
words=() wait=no
for word in "\${@:2}"; do
    if [ "\$word" = --wait ]; then wait=yes; else words+=("\$word"); fi
done
if [[ "\${PREBUILT:-0}" = 1 && " \${words[*]} " == *" build "* ]]; then exit 0; fi
docker-compose "\${words[@]}"
[ \$wait = yes ] || exit 0
for _ in \$(seq 300); do
    states=\$("$docker" ps --all --quiet | xargs "$docker" inspect --format '{{with .State.Health}}{{.Status}}{{end}}')
    if ! grep -qE 'starting|unhealthy' <<<"\$states"; then exit 0; fi
    sleep 0.3
done
echo "not healthy in time" >&2
exit 1
SHIM
    chmod +x "$1/docker"
}
