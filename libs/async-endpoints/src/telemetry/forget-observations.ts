// oxlint-disable no-underscore-dangle -- the names are the SDK's

import type { Observable } from '@opentelemetry/api';

/** Fields of the SDK's instruments that its public types do not name. */
interface StoredObservable extends Observable {
  readonly _metricStorages?: Iterable<{
    readonly _temporalMetricStorage?: { readonly _reportHistory?: Map<unknown, unknown> };
  }>;
}

/**
 * Makes the series of an observable gauge disappear until it is observed again. OpenTelemetry's specification asks the SDK to drop
 * what a callback no longer observes, but the SDK for JavaScript exports the last observation for ever to readers that ask for
 * cumulative values, as Prometheus does. Does nothing with another SDK. See docs/decisions/0076-gauges-are-forgotten.md.
 */
export function forgetObservations(observable: Observable): void {
  for (const { _temporalMetricStorage: temporal } of (observable as StoredObservable)._metricStorages ?? []) {
    temporal?._reportHistory?.clear();
  }
}
