# The images of Hubkeep.
#
#   docker build --tag hubkeep .                            credential-service, crm-service and hubkeep
#   docker build --tag hubspot-sim --target hubspot-sim .   the simulator: for trials, never beside real data
#
# Both run as user 65532, need no writable file but what is mounted, and hold no shell. Where the base images come
# from a registry of your own, or are pinned by digest, name them with --build-arg.
ARG BUILDER_IMAGE=docker.io/library/rust:1.95-bookworm
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILDER_IMAGE} AS builder
# "dev" builds in half the time, for a trial.
ARG PROFILE=release
# What only a debugger reads goes, and paths of the build do not reach the binaries.
ENV CARGO_INCREMENTAL=0 \
    CARGO_PROFILE_RELEASE_DEBUG=none \
    CARGO_PROFILE_RELEASE_STRIP=symbols \
    CARGO_PROFILE_DEV_DEBUG=none \
    CARGO_PROFILE_DEV_STRIP=symbols \
    RUSTFLAGS=--remap-path-prefix=/build=.
WORKDIR /build
COPY . .
# The operator's command without `dev` and `demo`: those hold a second pair of services.
RUN cargo build --locked --profile ${PROFILE} --no-default-features \
        --features hubkeep-credential-service/jemalloc,hubkeep-crm-service/jemalloc \
        --package hubkeep-credential-service --package hubkeep-crm-service --package hubkeep --package hubspot-sim \
    && mkdir /binaries \
    && cd "target/$(if [ "${PROFILE}" = dev ]; then echo debug; else echo "${PROFILE}"; fi)" \
    && cp credential-service crm-service hubkeep hubspot-sim /binaries/ \
    && rm -rf /build/target

FROM ${RUNTIME_IMAGE} AS hubspot-sim
COPY --from=builder /binaries/hubspot-sim /usr/local/bin/
USER 65532:65532
EXPOSE 4030
ENTRYPOINT ["/usr/local/bin/hubspot-sim"]

FROM ${RUNTIME_IMAGE} AS hubkeep
COPY --from=builder /binaries/credential-service /binaries/crm-service /binaries/hubkeep /usr/local/bin/
USER 65532:65532
EXPOSE 7401 7402 7404
# Which of the three runs is said by the command, so the image has no entry point.
ENTRYPOINT []
CMD ["hubkeep", "--help"]
