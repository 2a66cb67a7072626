const CREDENTIALS = /authori[sz]ation|cookie|token|secret|password|credential|session|api[-_]?key/i;

/** Whether a header or query value of this name is likely to be a credential, and so must not be stored. */
export function isCredential(name: string): boolean {
  return CREDENTIALS.test(name);
}
