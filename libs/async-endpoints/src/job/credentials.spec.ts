import { isCredential } from './credentials.js';

describe('recognises a credential by its name', () => {
  it.each(
    'Authorization Proxy-Authorization Cookie Set-Cookie X-Api-Key api_key apikey access_token refresh-token X-CSRF-Token client_secret password passwd pwd sessionid X-Amz-Signature sig jwt X-Auth X-Forwarded-Client-Cert access_key auth otp X-Authentication Ocp-Apim-Subscription-Key X-Functions-Key X-Goog-Api-Key X-RapidAPI-Key X-Master-Key key code code_verifier passphrase hmac X-Hub-Hmac ticket service-ticket SAMLResponse bearer csrf sas nonce pass client_assertion X-Amzn-Oidc-Data oauth_verifier creds mfa userPwd dbPass api.key signingKey license_key DD-APPLICATION-KEY sshKey connectionString dsn PHPSESSID remember_me mnemonic X-Sign verificationCode recovery_code authCode accessKey'.split(
      ' ',
    ),
  )('%s', (name) => expect(isCredential(name)).toBe(true));

  it.each(
    'accept user-agent traceparent author authored_by design page signal pinned X-Tenant-Id keyboard country_code zipcode status-code sort_key Idempotency-Key passenger compass ticketing encode side countryCode sortKey primary_key postcode passage bypass assertive signup appearance hash state'.split(
      ' ',
    ),
  )('and not %s', (name) => expect(isCredential(name)).toBe(false));
});
