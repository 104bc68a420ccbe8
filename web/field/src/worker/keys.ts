// The keys that the store is sealed with: one data key, wrapped once by the PIN and once by the hall.
//
// key of the PIN  = HKDF(HMAC(device key, Argon2id(PIN)) ‖ share), where the hall lends the share for some days;
// key of the hall = HKDF(HMAC(device key, "hall") ‖ recovery), where the hall gives the recovery for a new code only.
// The device key never leaves the browser. Ten wrong PINs throw the share and the session away: the hall must help.

import { stretch_pin } from '../brain/brain.js'
import { seal, sealToken, unseal, type Sealed } from './seal'

export const TRIES = 10
const DAY_MS = 24 * 60 * 60 * 1000

/** What lies in the store in the clear: nothing here opens anything without the PIN or the hall. */
export interface KeyRing {
  who: Who
  salt: Uint8Array<ArrayBuffer>
  device: CryptoKey
  door: CryptoKey
  byPin: Sealed
  byHall: Sealed
  share: { bytes: Uint8Array<ArrayBuffer>; until: number } | null
  session: Sealed | null
  tries: number
}

/** Whose phone it is, by ids only. */
export interface Who {
  device: string
  user: string
  hall: string
}

/** What the hall gives at enrolment. */
export interface HallSecrets {
  share: string
  recovery: string
  lease_days: number
}

const utf8 = new TextEncoder()

/** Makes a ring and the data key it wraps. */
export async function makeRing(
  who: Who,
  pin: string,
  hall: HallSecrets,
  token: string,
): Promise<[KeyRing, CryptoKey]> {
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const device = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const door = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const share = fromBase64(hall.share)
  const ring: KeyRing = {
    who,
    salt,
    device,
    door,
    byPin: await seal(await pinKey(device, pin, salt, share), 'key by PIN', raw),
    byHall: await seal(await hallKey(device, hall.recovery), 'key by hall', raw),
    share: { bytes: share, until: Date.now() + hall.lease_days * DAY_MS },
    session: await sealToken(door, token),
    tries: 0,
  }
  return [ring, await dataKey(raw)]
}

/** Opens the data key with a PIN that is tried once the try is counted; null when the PIN is wrong. */
export async function openByPin(ring: KeyRing, pin: string, counted: Promise<void>): Promise<CryptoKey | null> {
  const key = ring.share && (await pinKey(ring.device, pin, ring.salt, ring.share.bytes))
  await counted
  if (!key) return null
  try {
    return await dataKey(await unseal(key, 'key by PIN', ring.byPin))
  } catch {
    return null
  }
}

/** Opens the data key with what the hall gave for a new code, and wraps it by a new PIN. */
export async function openByHall(
  ring: KeyRing,
  pin: string,
  hall: HallSecrets,
  token: string,
): Promise<[KeyRing, CryptoKey]> {
  const raw = await unseal(await hallKey(ring.device, hall.recovery), 'key by hall', ring.byHall)
  const share = fromBase64(hall.share)
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const renewed: KeyRing = {
    ...ring,
    salt,
    byPin: await seal(await pinKey(ring.device, pin, salt, share), 'key by PIN', raw),
    share: { bytes: share, until: Date.now() + hall.lease_days * DAY_MS },
    session: await sealToken(ring.door, token),
    tries: 0,
  }
  return [renewed, await dataKey(raw)]
}

/** The ring with the share lent anew. */
export function lendAgain(ring: KeyRing, share: string, leaseDays: number): KeyRing {
  return { ...ring, share: { bytes: fromBase64(share), until: Date.now() + leaseDays * DAY_MS } }
}

async function pinKey(device: CryptoKey, pin: string, salt: Uint8Array, share: Uint8Array): Promise<CryptoKey> {
  return wrapping(device, stretch_pin(pin, salt) as Uint8Array<ArrayBuffer>, share, 'doorstep PIN')
}

async function hallKey(device: CryptoKey, recovery: string): Promise<CryptoKey> {
  return wrapping(device, utf8.encode('hall'), fromBase64(recovery), 'doorstep hall')
}

async function wrapping(
  device: CryptoKey,
  secret: Uint8Array<ArrayBuffer>,
  lent: Uint8Array,
  info: string,
): Promise<CryptoKey> {
  const bound = new Uint8Array(await crypto.subtle.sign('HMAC', device, secret))
  const material = new Uint8Array(bound.length + lent.length)
  material.set(bound)
  material.set(lent, bound.length)
  const base = await crypto.subtle.importKey('raw', material, 'HKDF', false, ['deriveKey'])
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8.encode(info) }
  return crypto.subtle.deriveKey(how, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

async function dataKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}
