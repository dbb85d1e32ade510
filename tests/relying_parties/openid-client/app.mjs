// A relying party on openid-client: login, userinfo, refresh, logout. One member at a time, kept in memory.
import { webcrypto } from "node:crypto";
import { createServer } from "node:http";
import * as oidc from "openid-client";

globalThis.crypto ??= webcrypto; // Node.js 18 has it under this name alone

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const HERE = `http://127.0.0.1:${PORT}`;
const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  // The tests speak http; and the signature of an ID token is looked at although it comes from the provider itself.
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);
const attempts = new Map(); // state → what the response is checked against
let tokens; // of the member who is logged in
let goodbye; // state of the logout under way

/** What the library found in the verified ID token, and what userinfo says. */
async function member() {
  const claims = tokens.claims();
  return { claims, userinfo: await oidc.fetchUserInfo(config, tokens.access_token, claims.sub) };
}

const pages = {
  "/login": async () => {
    const verifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    attempts.set(state, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state });
    return oidc.buildAuthorizationUrl(config, {
      redirect_uri: `${HERE}/callback`,
      scope: "openid profile email membership offline_access",
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state, nonce,
    });
  },
  "/callback": async (url) => {
    const state = url.searchParams.get("state");
    const checks = attempts.get(state);
    if (!attempts.delete(state)) throw new Error("an answer to nothing");
    tokens = await oidc.authorizationCodeGrant(config, url, checks);
    return member();
  },
  "/refresh": async () => {
    const { refresh_token: before } = tokens;
    tokens = await oidc.refreshTokenGrant(config, before);
    return { ...await member(), rotated: tokens.refresh_token !== before };
  },
  "/logout": async () => {
    const { id_token } = tokens;
    [tokens, goodbye] = [undefined, oidc.randomState()];
    return oidc.buildEndSessionUrl(config, {
      id_token_hint: id_token, post_logout_redirect_uri: `${HERE}/goodbye`, state: goodbye,
    });
  },
  "/goodbye": async (url) => {
    if (!goodbye || url.searchParams.get("state") !== goodbye) throw new Error("no logout of ours");
    return { goodbye: true };
  },
};

createServer(async (request, response) => {
  const url = new URL(request.url, HERE);
  try {
    const answer = await pages[url.pathname](url);
    if (answer instanceof URL) {
      response.writeHead(303, { location: answer.href }).end();
    } else {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    }
  } catch (error) {
    response.writeHead(400).end(`${error}; ${error.cause ?? ""}`);
  }
}).listen(Number(PORT), "127.0.0.1");
