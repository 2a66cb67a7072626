#!/bin/sh
# switch.sh blue|green: sends all requests to that color, once its API and its workers are ready.
# The other color keeps running: its workers finish the jobs that only they handle, and switching back takes a second.
set -eu
color="${1:-}"
case "$color" in blue | green) ;; *) echo "usage: $0 blue|green" >&2; exit 2 ;; esac
namespace="${NAMESPACE:-async-endpoints}"

# Workers first: the jobs of the new API need workers that handle them.
for deployment in worker api; do
  kubectl -n "$namespace" rollout status "deployment/async-endpoints-$deployment-$color" --timeout=300s
done
kubectl -n "$namespace" patch service async-endpoints-api --type merge \
  --patch "{\"spec\":{\"selector\":{\"async-endpoints/color\":\"$color\"}}}"
