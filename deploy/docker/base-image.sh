#!/bin/sh
# Makes the two base images on machines without access to an image registry: Debian by debootstrap, Node and npm from the npm registry.
#
#   deploy/docker/base-image.sh     as root; then
#   buildah bud --build-arg NODE_IMAGE=localhost/node-base --build-arg RUNTIME_IMAGE=localhost/runtime-base --target api .
set -eu
node_version="${NODE_VERSION:-24}"
npm_version="${NPM_VERSION:-11}"
mirror="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
root="$work/root"

commit() { # arguments: folder, name of the image
  container="$(buildah from scratch)"
  buildah add "$container" "$1" / >/dev/null
  buildah commit --rm "$container" "$2"
}

debootstrap --variant=minbase --include=ca-certificates,tzdata bookworm "$root" "$mirror"

# The contents of distroless/cc: the files of these packages, and the bundle of certificates that their installation makes.
mkdir "$work/runtime"
for package in libc6:amd64 libc6:arm64 libgcc-s1:amd64 libgcc-s1:arm64 libstdc++6:amd64 libstdc++6:arm64 tzdata; do
  list="$root/var/lib/dpkg/info/$package.list"
  [ ! -f "$list" ] || cat "$list"
done >"$work/files"
printf '%s\n' /etc/ssl/certs/ca-certificates.crt /etc/debian_version /etc/os-release /usr/lib/os-release >>"$work/files"
# Packages use /lib, which is a link to /usr/lib.
sed -e 's#^/lib#/usr/lib#' -e '/^\/usr\/share\/\(doc\|lintian\|locale\)/d' -e '/gconv/d' -e 's#^/#./#' "$work/files" | sort -u >"$work/present"
tar -C "$root" --no-recursion --files-from "$work/present" -cf - | tar -C "$work/runtime" -xf -
ln -s usr/lib "$work/runtime/lib"
[ ! -d "$work/runtime/usr/lib64" ] || ln -s usr/lib64 "$work/runtime/lib64"
mkdir -p -m 1777 "$work/runtime/tmp"
commit "$work/runtime" "${2:-runtime-base}"

rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/doc "$root"/usr/share/locale
npm install --prefix "$work/npm" --no-save --no-audit --no-fund --foreground-scripts "node@$node_version" "npm@$npm_version"
node="$(find "$work/npm/node_modules" -path '*/bin/node' -type f -size +10M | head -n 1)"
install -D -m 755 "$node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$work/npm/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
commit "$root" "${1:-node-base}"
