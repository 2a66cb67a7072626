const ANYWHERE =
  /authori[sz]ation|cookie|token|secret|passw|credential|session|signature|jwt|client-cert|(api|access|private)[-_]?key/i;
const AS_A_WORD = /(^|[-_.])(auth|sig|pwd|pin|otp)([-_.]|$)/i;

/** Whether a header, route or query value of this name is likely to be a credential, and so must not be stored. */
export function isCredential(name: string): boolean {
  return ANYWHERE.test(name) || AS_A_WORD.test(name);
}
