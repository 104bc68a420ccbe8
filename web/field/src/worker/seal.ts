// Bytes sealed under a key, and the session that lies so beside the store: the service worker reads it without the brain.

/** Bytes sealed with AES-GCM under a nonce of their own. */
export interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  data: ArrayBuffer
}

const utf8 = new TextEncoder()

export async function seal(key: CryptoKey, about: string, bytes: BufferSource): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const data = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8.encode(about) }, key, bytes)
  return { iv, data }
}

export async function unseal(key: CryptoKey, about: string, sealed: Sealed): Promise<Uint8Array<ArrayBuffer>> {
  const how = { name: 'AES-GCM', iv: sealed.iv, additionalData: utf8.encode(about) }
  return new Uint8Array(await crypto.subtle.decrypt(how, key, sealed.data))
}

export async function sealToken(door: CryptoKey, token: string): Promise<Sealed> {
  return seal(door, 'session', utf8.encode(token))
}

/** Reads the session of a ring; none when it was thrown away. */
export async function readToken(ring: { door: CryptoKey; session: Sealed | null }): Promise<string | null> {
  if (!ring.session) return null
  return new TextDecoder().decode(await unseal(ring.door, 'session', ring.session))
}
