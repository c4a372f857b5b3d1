/**
 * Who is signed in, and the token that says so.
 *
 * The browser's session is the server's cookie, which no script can read. A token is asked for with it when the page needs
 * one (authorization code with PKCE, RFC 7636), is kept in memory alone, and dies with the page.
 */

const CLIENT = "entente-web";
/** A token this close to its end is not used any more, in milliseconds. */
const MARGIN = 60_000;

let current: { token: string; until: number } | undefined;
let asking: Promise<string> | undefined;

/** Nobody is signed in; the page leaves for where one does. */
export class SignedOut extends Error {}

/** This page is neither on HTTPS nor on this machine, where browsers refuse to compute what sign-in needs. */
export class Insecure extends Error {}

/** A token for the user who is signed in. Leaves the page when nobody is. */
export function token(): Promise<string> {
  if (current && current.until > Date.now() + MARGIN) return Promise.resolve(current.token);
  asking ??= ask().finally(() => (asking = undefined));
  return asking;
}

/** The server did not take a token: the next one is another. */
export function forget(refused: string): void {
  if (current?.token === refused) current = undefined;
}

/** Gives the token back, and leaves for the page on which the session ends. */
export async function signOut(): Promise<void> {
  const given = current?.token;
  current = undefined;
  if (given) await post("/oauth2/revoke", { token: given, client_id: CLIENT }).catch(() => undefined);
  location.assign("/oauth2/sign-out");
}

async function ask(): Promise<string> {
  if (!globalThis.crypto?.subtle) throw new Insecure();
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const challenge = base64url(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))),
  );
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: "/",
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  // Followed to its end, which is a place of this server: `/` with a code, or where people sign in.
  const answer = await fetch(`/oauth2/authorize?${query}`, { credentials: "same-origin" });
  const there = new URL(answer.url);
  const code = there.searchParams.get("code");
  if (!code || there.searchParams.get("state") !== state) {
    if (there.pathname !== "/oauth2/sign-in") throw new Error(`authorization ended at ${there.pathname}`);
    location.assign(`/oauth2/sign-in?${new URLSearchParams({ continue: location.pathname })}`);
    throw new SignedOut();
  }
  const fields = {
    grant_type: "authorization_code",
    client_id: CLIENT,
    redirect_uri: "/",
    code,
    code_verifier: verifier,
  };
  const granted = await post("/oauth2/token", fields);
  if (!granted.ok) throw new Error(`no token: ${granted.status}`);
  const { access_token, expires_in } = (await granted.json()) as { access_token: string; expires_in: number };
  current = { token: access_token, until: Date.now() + expires_in * 1000 };
  return access_token;
}

function post(path: string, fields: Record<string, string>): Promise<Response> {
  return fetch(path, { method: "POST", body: new URLSearchParams(fields), credentials: "omit" });
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
