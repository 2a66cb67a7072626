# The demo's API and worker: two images of the same layers.
#
#   docker build --target api -t async-endpoints-api .
#   docker build --target worker -t async-endpoints-worker .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /source
COPY package.json package-lock.json ./
# Declarations and source maps are for who develops: a third of the bytes.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --no-audit --no-fund \
 && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.[cm]ts' -o -name '*.map' \) -delete

FROM dependencies AS build
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json ./
COPY libs ./libs
COPY apps ./apps
RUN npx nest build api && npx nest build worker

FROM ${NODE_IMAGE} AS runtime
# In numbers, so that Kubernetes can see that it is not root.
RUN groupadd --system --gid 10001 app \
 && useradd --system --uid 10001 --gid app --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin app
WORKDIR /app
COPY --from=dependencies /source/package.json ./
COPY --from=dependencies /source/node_modules ./node_modules
COPY --from=build /source/dist ./dist
COPY deploy/docker/health-check.mjs ./
ENV NODE_ENV=production PORT=8080
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["node", "health-check.mjs"]

# Node is process 1 and gets the signals itself: SIGTERM drains.
FROM runtime AS worker
ENTRYPOINT ["node", "dist/apps/worker/src/main.js"]

FROM runtime AS api
ENTRYPOINT ["node", "dist/apps/api/src/main.js"]
