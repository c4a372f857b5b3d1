// An OpenID provider for tests: the real one of npm, which lets in whoever the request names, without a page.
//
// Started with the redirect URI of its clients. Writes its issuer as a line, and ends when its standard input does.
// `login_hint` of an authorization request says who signs in: a subject, and the mail address that goes with it, with `~`
// between them. An address behind `?` instead is one that nobody has verified.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import http from "node:http";
import path from "node:path";

const [modules, redirectUri] = process.argv.slice(2);
const found = createRequire(path.resolve(modules, "package.json")).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found));

// Whoever started us reads the first line alone, and the pipe is closed then.
console.info = console.warn = () => {};
process.stdin.on("end", () => process.exit(0)).resume();

const server = http.createServer();
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

// What was last said of each subject.
const people = new Map();

const arrive = (hint) => {
  const [, sub, mark, email] = /^([^~?]*)([~?]?)(.*)$/.exec(hint);
  people.set(sub, { sub, email, email_verified: mark === "~", name: `${sub} of the provider` });
  return sub;
};

const client = (client_id, more) => ({
  client_id,
  redirect_uris: [redirectUri],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    client("entente", { client_secret: "a secret: of 100%" }),
    client("posting", { client_secret: "another secret", token_endpoint_auth_method: "client_secret_post" }),
    client("public", { token_endpoint_auth_method: "none" }),
    client("elliptic", { token_endpoint_auth_method: "none", id_token_signed_response_alg: "ES256" }),
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
  jwks: { keys: await keys() },
  findAccount: (_, id) => ({ accountId: id, claims: () => people.get(id) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
});

async function keys() {
  const { generateKeyPairSync } = await import("node:crypto");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
  return [
    { ...rsa, use: "sig", alg: "RS256", kid: "r" },
    { ...ec, use: "sig", alg: "ES256", kid: "e" },
  ];
}

const answer = provider.callback();
server.on("request", async (request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    return answer(request, response);
  }
  const { params } = await provider.interactionDetails(request, response);
  if (params.login_hint === "nobody") {
    return provider.interactionFinished(request, response, { error: "access_denied" });
  }
  return provider.interactionFinished(request, response, { login: { accountId: arrive(params.login_hint) } });
});
console.log(issuer);
