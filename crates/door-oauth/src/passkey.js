"use strict";
// Asks the browser for a passkey when a form with `data-passkey` is sent, and sends its answer along. Without this script, or in a
// browser that has no passkeys, such forms stay hidden.
{
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const create = async (options) => {
    const asked = { ...options, challenge: bytes(options.challenge) };
    asked.user = { ...options.user, id: bytes(options.user.id) };
    asked.excludeCredentials = named(options.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey: asked });
    const { response } = made;
    return {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
      made,
    };
  };

  const get = async (options) => {
    const asked = { ...options, challenge: bytes(options.challenge) };
    asked.allowCredentials = named(options.allowCredentials);
    const made = await navigator.credentials.get({ publicKey: asked });
    const { response } = made;
    return {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : undefined,
      made,
    };
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) continue;
    form.hidden = false;
    const failed = form.querySelector("[role=alert]");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      failed.hidden = true;
      try {
        const options = JSON.parse(form.dataset.passkey);
        const { made, ...response } = await (options.user ? create(options) : get(options));
        const answer = { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
        form.elements.namedItem("answer").value = JSON.stringify(answer);
        form.submit();
      } catch {
        // Whoever thought better of it is told the same as one whose device failed: browsers do not say.
        failed.hidden = false;
      }
    });
  }
}
