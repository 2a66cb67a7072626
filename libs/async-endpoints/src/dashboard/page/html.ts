import htm from 'htm';
import { h, type VNode } from 'preact';

/** Templates of Preact: every value becomes a text node or an attribute, never markup. */
export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;
