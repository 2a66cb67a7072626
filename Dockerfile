# The demo's API and worker: two images of the same layers.
#
#   docker build --target api -t async-endpoints-api .
#   docker build --target worker -t async-endpoints-worker .
#
# scripts/pin-images.mjs pins both bases by digest (docs/deploy-docker.md).
ARG NODE_IMAGE=node:24-bookworm-slim
# glibc, libstdc++, certificates and time zones: no shell, no package manager.
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
# No package of ours needs an install script; those of others do not run.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY nest-cli.json tsconfig.json ./
COPY libs ./libs
COPY apps ./apps
RUN npx nest build api && npx nest build worker && npx nest build async-endpoints
COPY deploy/docker/runtime-files.mjs deploy/docker/
RUN node deploy/docker/runtime-files.mjs /app

FROM ${NODE_IMAGE} AS node
# Symbols are 14 % of the executable, and only a debugger reads them.
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && strip -o /node "$(command -v node)"

FROM ${RUNTIME_IMAGE} AS runtime
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Async Endpoints demo" \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
COPY --from=node /node /usr/local/bin/node
# Below the application: a change of it makes a new layer of the application only, and that of Node stays.
COPY --from=build /app /app
COPY --chmod=755 deploy/docker/async-endpoints /usr/local/bin/async-endpoints
COPY deploy/docker/health-check.mjs /app/
WORKDIR /app
ENV NODE_ENV=production PORT=8080
# In numbers, so that Kubernetes can see that it is not root.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["node", "health-check.mjs"]

# Node is process 1 and receives the signals itself: SIGTERM drains.
FROM runtime AS worker
ENTRYPOINT ["node", "dist/apps/worker/src/main.js"]

FROM runtime AS api
ENTRYPOINT ["node", "dist/apps/api/src/main.js"]
