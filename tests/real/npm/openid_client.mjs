// A relying party built on openid-client, told what to do over its standard input.
//
// Each line is one JSON document {"call": name, ...}; the answer is one line, {"result": ...} or {"error": ...}. All that
// OAuth and OpenID Connect ask of a client is the library's own code; here is only what holds it together.

import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

// Node of Debian 12 is version 18, which has these two, but not under the names that the library looks for.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const client = await import("openid-client");

const begun = new Map();
let config;

const authentications = {
  none: async () => client.None(),
  client_secret_basic: async ({ secret }) => client.ClientSecretBasic(secret),
  client_secret_post: async ({ secret }) => client.ClientSecretPost(secret),
  client_secret_jwt: async ({ secret }) => client.ClientSecretJwt(secret),
  private_key_jwt: async ({ pkcs8, kid }) => client.PrivateKeyJwt({ key: await privateKey(pkcs8), kid }),
};
const types = {
  "code": () => undefined,
  "code id_token": client.useCodeIdTokenResponseType,
  "id_token": client.useIdTokenResponseType,
};

async function privateKey(pkcs8) {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  return webcrypto.subtle.importKey("pkcs8", Buffer.from(pkcs8, "base64"), algorithm, false, ["sign"]);
}

const calls = {
  async discover({ issuer, client_id, method, response_type = "code", metadata = {}, ...proof }) {
    const authentication = await authentications[method](proof);
    // The provider of a test is http; the signatures of what comes from it are checked all the same.
    const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
    config = await client.discovery(new URL(issuer), client_id, metadata, authentication, { execute });
    types[response_type](config);
    return config.serverMetadata();
  },

  async begin({ push = false, ...parameters }) {
    const verifier = client.randomPKCECodeVerifier();
    const nonce = client.randomNonce();
    const state = client.randomState();
    const request = { ...parameters, nonce, state };
    if (parameters.response_type !== "id_token") {
      request.code_challenge = await client.calculatePKCECodeChallenge(verifier);
      request.code_challenge_method = "S256";
    }
    begun.set(state, { verifier, nonce });
    const url = push
      ? await client.buildAuthorizationUrlWithPAR(config, request)
      : client.buildAuthorizationUrl(config, request);
    return { url: url.href, state };
  },

  async finish({ address, state, verifier }) {
    const kept = begun.get(state);
    const tokens = await client.authorizationCodeGrant(config, new URL(address), {
      pkceCodeVerifier: verifier ?? kept.verifier,
      expectedNonce: kept.nonce,
      expectedState: state,
      idTokenExpected: true,
    });
    return { tokens, claims: tokens.claims() };
  },

  async finish_implicit({ address, state }) {
    return client.implicitAuthentication(config, new URL(address), begun.get(state).nonce, { expectedState: state });
  },

  async user({ access_token, sub }) {
    return client.fetchUserInfo(config, access_token, sub);
  },

  async refresh({ refresh_token }) {
    const tokens = await client.refreshTokenGrant(config, refresh_token);
    return { tokens, claims: tokens.claims() };
  },

  async introspect({ token }) {
    return client.tokenIntrospection(config, token);
  },

  async revoke({ token }) {
    await client.tokenRevocation(config, token);
    return null;
  },

  async sign_out_url(parameters) {
    return client.buildEndSessionUrl(config, parameters).href;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, ...words } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await calls[call](words) };
  } catch (error) {
    answer = { error: error.error ?? error.code ?? error.name, description: String(error.message) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
