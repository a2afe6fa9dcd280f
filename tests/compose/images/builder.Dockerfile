# Stands in for rust:1.95-bookworm: Debian, a C compiler, make, and this machine's own toolchain.
FROM hubkeep-test/debian:bookworm
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
COPY ca-certificates.crt /etc/ssl/certs/
COPY bin /usr/local/bin
COPY lib /usr/local/lib
