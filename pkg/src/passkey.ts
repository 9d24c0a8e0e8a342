/** Passkeys as a way in: their pseudo-random function (WebAuthn's `prf`) makes a secret that never leaves this page. */
import { OnhandError } from "./errors.js";
import type { EncryptionStatus } from "./types.js";

/** Bytes are written as hexadecimal digits. */
export interface PasskeySecret {
  credential: string;
  salt: string;
  secret: string;
}

/** Makes a passkey for this site; the browser asks the person, up to twice. */
export async function createPasskey(name: string): Promise<PasskeySecret> {
  const salt = random(32);
  const created = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { name: location.hostname },
        user: { id: random(16), name, displayName: name },
        // Nobody checks a signature here: what counts is the secret.
        challenge: random(32),
        pubKeyCredParams: [
          { type: "public-key", alg: -7 },
          { type: "public-key", alg: -257 },
        ],
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { prf } = created.getClientExtensionResults();
  if (!prf?.enabled) throw unavailable("this passkey has no pseudo-random function");
  const passkey = { credential: hex(created.rawId), salt: hex(salt) };
  const first = prf.results?.first;
  // Some authenticators answer only when they are asked again.
  return first ? { ...passkey, secret: hex(bytesOf(first)) } : askPasskey([passkey]);
}

/** Asks one of these passkeys for its secret. */
export async function askPasskey(passkeys: EncryptionStatus["passkeys"]): Promise<PasskeySecret> {
  if (passkeys.length === 0) throw unavailable("no passkey was added to this memory");
  const found = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: random(32),
        userVerification: "required",
        allowCredentials: passkeys.map(({ credential }) => ({ type: "public-key", id: unhex(credential) })),
        extensions: {
          prf: { evalByCredential: Object.fromEntries(passkeys.map(({ credential, salt }) => [base64url(unhex(credential)), { first: unhex(salt) }])) },
        },
      },
    }),
  );
  const credential = hex(found.rawId);
  const first = found.getClientExtensionResults().prf?.results?.first;
  const salt = passkeys.find((passkey) => passkey.credential === credential)?.salt;
  if (!first || !salt) throw unavailable("this passkey gave no secret");
  return { credential, salt, secret: hex(bytesOf(first)) };
}

async function ask(request: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!globalThis.PublicKeyCredential || !navigator.credentials) throw unavailable("this browser has none here");
  try {
    const credential = await request();
    if (credential) return credential as PublicKeyCredential;
  } catch (error) {
    const name = error instanceof Error ? error.name : "unknown";
    if (name === "NotAllowedError" || name === "AbortError") throw new OnhandError({ code: "cancelled", message: "The passkey was not used.", retryable: true });
    throw unavailable(name);
  }
  throw unavailable("none was given");
}

function unavailable(reason: string): OnhandError {
  return new OnhandError({
    code: "passkey_unavailable",
    message: `A passkey can not be used (${reason}). Use the passphrase or the recovery code.`,
    retryable: false,
  });
}

function random(n: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(n));
}

function bytesOf(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}

function hex(bytes: ArrayBuffer | Uint8Array): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
