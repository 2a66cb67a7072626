# Two images with the same layers: the API and the worker of the demo.
#
#   docker build --target api -t async-endpoints-api .
#   docker build --target worker -t async-endpoints-worker .
#
# scripts/pin-images.mjs pins both bases by digest (docs/deploy-docker.md).
ARG NODE_IMAGE=node:24-bookworm-slim
# Contains glibc, libstdc++, certificates and time zones, but no shell and no package manager.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
# No dependency needs its install script, so none runs.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json ./
COPY libs ./libs
COPY apps ./apps
RUN npx nest build api && npx nest build worker && npx nest build async-endpoints
COPY deploy/docker/runtime-files.mjs deploy/docker/
RUN node deploy/docker/runtime-files.mjs /app

FROM ${NODE_IMAGE} AS node
# Removes the symbols: 14 % of the executable, which only a debugger reads.
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && strip -o /node "$(command -v node)"

FROM ${RUNTIME_IMAGE} AS runtime
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Async Endpoints demo" \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
COPY --from=node /node /usr/local/bin/node
# Node is a layer below the application, so that a change of the application does not replace it.
COPY --from=build /app /app
COPY --chmod=755 deploy/docker/async-endpoints /usr/local/bin/async-endpoints
COPY deploy/docker/health-check.mjs /app/
WORKDIR /app
ENV NODE_ENV=production PORT=8080
# A number, so that Kubernetes can check that it is not root.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["node", "health-check.mjs"]

# Node is process 1 and receives the signals itself, so SIGTERM begins the graceful shutdown.
FROM runtime AS worker
ENTRYPOINT ["node", "dist/apps/worker/src/main.js"]

FROM runtime AS api
ENTRYPOINT ["node", "dist/apps/api/src/main.js"]
