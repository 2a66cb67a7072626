import { BlockList } from 'node:net';
import type { INetworkPolicyPeer } from 'kubernetes-models/networking.k8s.io/v1';
import type { Manifest } from './manifests.js';
import { type Labels, type Policy, selects } from './references.js';
import { ofKind } from './workloads.js';

/** An address outside the cluster, or a pod: of another namespace, or of the same where none is named. */
export type Peer = { readonly address: string } | { readonly namespace?: string; readonly labels: Labels };

/** Whether a pod with these labels may open a TCP connection, by the rules of NetworkPolicy. */
export function mayReach(manifests: readonly Manifest[], from: Labels, peer: Peer, port: number): boolean {
  const own = ofKind<Policy>(manifests, 'NetworkPolicy').filter(
    ({ spec }) => spec.policyTypes?.includes('Egress') && selects(spec.podSelector, from),
  );
  if (own.length === 0) return true;
  const rules = own.flatMap(({ spec }) => spec.egress ?? []);
  return rules.some(
    ({ to, ports }) =>
      (!to || to.some((one) => isMeant(one, peer))) &&
      (!ports || ports.some((open) => open.port === port && (open.protocol ?? 'TCP') === 'TCP')),
  );
}

function isMeant({ ipBlock, namespaceSelector, podSelector }: INetworkPolicyPeer, peer: Peer): boolean {
  if ('address' in peer) {
    if (!ipBlock) return false;
    return isIn([ipBlock.cidr], peer.address) && !isIn(ipBlock.except ?? [], peer.address);
  }
  if (ipBlock) return false;
  const isThere = namespaceSelector
    ? selects(namespaceSelector, { 'kubernetes.io/metadata.name': peer.namespace ?? '' })
    : peer.namespace === undefined;
  return isThere && (!podSelector || selects(podSelector, peer.labels));
}

function isIn(blocks: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', bits] = block.split('/');
    list.addSubnet(network, Number(bits));
  }
  return list.check(address);
}
