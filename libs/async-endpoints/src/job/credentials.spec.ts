import { isCredential } from './credentials.js';

describe('A credential is known by its name', () => {
  it.each(
    'Authorization Proxy-Authorization Cookie Set-Cookie X-Api-Key api_key apikey access_token refresh-token X-CSRF-Token client_secret password passwd pwd sessionid X-Amz-Signature sig jwt X-Auth X-Forwarded-Client-Cert access_key auth otp'.split(
      ' ',
    ),
  )('%s (R12)', (name) => expect(isCredential(name)).toBe(true));

  it.each('accept user-agent traceparent author authored_by design page signal pinned X-Tenant-Id keyboard'.split(' '))(
    'and not %s',
    (name) => expect(isCredential(name)).toBe(false),
  );
});
