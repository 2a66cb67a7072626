import type { CarriedValues } from './job.js';

const ANYWHERE =
  /authori[sz]ation|authentication|cookie|token|secret|passw|passphrase|passcode|credential|sess(?:ion|id)|signature|hmac|jwt|saml|oidc|assertion|mnemonic|client-cert|connection[-_]?string|remember[-_]?me/i;
const KEY =
  /(?:api|access|account|app|application|client|consumer|deploy|encryption|function|license|master|private|shared|signing|ssh|subscription|webhook)s?[-_.]?key/i;
const AS_A_WORD =
  /(?:^|[-_.])(?:auth|bearer|creds|csrf|xsrf|dsn|mfa|sig|sign|sas|sid|pw|pwd|pass|pin|otp|totp|ticket|nonce|verifier)(?:[-_.]|$)/i;
/** `code` of OAuth and the like; but not `country_code`. */
const CODE = /^(?:key|code)$|(?:auth|access|backup|login|recovery|reset|security|verification)[-_]?code$/i;
/** A header that is a key to something; the one that makes a submission idempotent is none. */
const KEY_HEADER = /^x-(?:[a-z\d]+-)*key$/i;
const PATTERNS = [ANYWHERE, KEY, AS_A_WORD, CODE, KEY_HEADER];

/** Whether a header, route or query value of this name is likely to be a credential, and so must not be stored. */
export function isCredential(name: string): boolean {
  const words = name.replaceAll(/[a-z](?=[A-Z])/g, '$&-');
  return PATTERNS.some((pattern) => pattern.test(words));
}

/**
 * The values of these names that are there, as JSON will have them: copied, so that they do not change until they are
 * stored, and without the properties that are named like credentials.
 */
export function carriedValues(names: readonly string[], read: (name: string) => unknown): CarriedValues | undefined {
  let carried: Record<string, unknown> | undefined;
  for (const name of names) {
    const json = JSON.stringify(read(name) ?? undefined, withoutCredentials) as string | undefined;
    if (json !== undefined) (carried ??= {})[name] = JSON.parse(json) as unknown;
  }
  return carried;
}

/** A replacer of `JSON.stringify`. Some parsers make an object of a query such as `user[password]=…`. */
export function withoutCredentials(name: string, value: unknown): unknown {
  return isCredential(name) ? undefined : value;
}
