#!/bin/sh
# A base image for machines that reach no registry of images: Debian by debootstrap, Node and npm from npm's registry.
# As root: deploy/docker/base-image.sh && buildah bud --build-arg NODE_IMAGE=localhost/node-base --target api .
set -eu
node_version="${NODE_VERSION:-24}"
npm_version="${NPM_VERSION:-11}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
rm -rf "$work"/root/var/cache/apt/* "$work"/root/var/lib/apt/lists/* "$work"/root/usr/share/doc "$work"/root/usr/share/locale
npm install --prefix "$work/npm" --no-save --no-audit --no-fund --foreground-scripts "node@$node_version" "npm@$npm_version"
node="$(find "$work/npm/node_modules" -path '*/bin/node' -type f -size +10M | head -n 1)"
install -D -m 755 "$node" "$work/root/usr/local/bin/node"
mkdir -p "$work/root/usr/local/lib/node_modules"
cp -r "$work/npm/node_modules/npm" "$work/root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/root/usr/local/bin/npx"

container="$(buildah from scratch)"
buildah add "$container" "$work/root" / >/dev/null
buildah commit --rm "$container" "${1:-node-base}"
