const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const NIL = '00000000-0000-0000-0000-000000000000';

/** The id in the form in which it is stored, or null where the text is no UUID, or the nil one. */
export function parseJobId(text: string): string | null {
  const id = text.toLowerCase();
  return UUID.test(id) && id !== NIL ? id : null;
}
