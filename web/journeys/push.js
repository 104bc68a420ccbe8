// A push service on loopback and the browser behind it: checks the hall's token (RFC 8292), decrypts (RFC 8291), and hands on
// what it decrypted to the app's real service worker.

import assert from 'node:assert/strict'
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const HEADER_BYTES = 21
const KEY_BYTES = 65
const TAG_BYTES = 16

/** A browser's part: what it subscribed to outlives the page, and each subscription has an address of its own. */
const SUBSCRIBING = ({ address, p256dh, auth }) => {
  const kept = () => JSON.parse(localStorage.getItem('test.push') ?? 'null')
  const made = ({ endpoint, key }) => ({
    endpoint,
    options: { applicationServerKey: new Uint8Array(key).buffer },
    unsubscribe: async () => (localStorage.removeItem('test.push'), true),
    toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
  })
  PushManager.prototype.getSubscription = async () => (kept() ? made(kept()) : null)
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
    const endpoint = `http://${address}/push/${crypto.randomUUID()}`
    localStorage.setItem('test.push', JSON.stringify({ endpoint, key: [...applicationServerKey] }))
    return made(kept())
  }
}

export class PushService {
  /** Opens it; the hall's environment excepts its address. */
  static async open() {
    const service = new PushService()
    service.ecdh = createECDH('prime256v1')
    service.ecdh.generateKeys()
    service.auth = randomBytes(16)
    service.status = 201
    /** How far the hall's clock is ahead of this machine's, in milliseconds. */
    service.ahead = 0
    service.heard = () => undefined
    service.server = createServer(async (asked, reply) => {
      const pieces = []
      for await (const piece of asked) pieces.push(piece)
      reply.writeHead(service.status).end()
      if (service.status !== 201) return
      service.checkToken(asked.headers.authorization)
      await service.heard(service.decrypted(Buffer.concat(pieces)), asked.headers)
    })
    service.server.listen(0, '127.0.0.1')
    await once(service.server, 'listening')
    service.address = `127.0.0.1:${service.server.address().port}`
    process.env.DOORSTEP_PUSH_ALLOWED = service.address
    return service
  }

  /** Makes a phone's browser one that subscribes here, now and after each start: the makers' own services are not in a test's reach. */
  async serve({ context, page }) {
    const about = { address: this.address, p256dh: this.ecdh.getPublicKey('base64url'), auth: this.auth.toString('base64url') }
    await context.addInitScript(SUBSCRIBING, about)
    await page.evaluate(SUBSCRIBING, about)
  }

  /** Hands every message on to the service worker of a phone, as its browser would. */
  async deliverTo(phone) {
    const browser = await phone.context.newCDPSession(phone.page)
    const registration = new Promise((resolve) => browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      if (registrations.length) resolve(registrations[0].registrationId)
    }))
    await browser.send('ServiceWorker.enable')
    const registrationId = await registration
    const { origin } = new URL(phone.page.url())
    return (data) => browser.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data })
  }

  checkToken(authorization) {
    const [, token, key] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization)
    const [head, claims, signature] = token.split('.')
    const point = Buffer.from(key, 'base64url')
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((it) => it.toString('base64url'))
    const signer = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } })
    assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), { key: signer, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')))
    const { aud, exp } = JSON.parse(Buffer.from(claims, 'base64url'))
    assert.equal(aud, `http://${this.address}`)
    const now = (Date.now() + this.ahead) / 1000
    assert.ok(exp > now && exp < now + 86_400)
  }

  decrypted(body) {
    const [salt, sender] = [body.subarray(0, 16), body.subarray(HEADER_BYTES, HEADER_BYTES + KEY_BYTES)]
    const about = Buffer.concat([Buffer.from('WebPush: info\0'), this.ecdh.getPublicKey(), sender])
    const secret = Buffer.from(hkdfSync('sha256', this.ecdh.computeSecret(sender), this.auth, about, 32))
    const derived = (what, bytes) => Buffer.from(hkdfSync('sha256', secret, salt, Buffer.from(`Content-Encoding: ${what}\0`), bytes))
    const sealed = body.subarray(HEADER_BYTES + KEY_BYTES)
    const opening = createDecipheriv('aes-128-gcm', derived('aes128gcm', 16), derived('nonce', 12))
    opening.setAuthTag(sealed.subarray(-TAG_BYTES))
    const plain = Buffer.concat([opening.update(sealed.subarray(0, -TAG_BYTES)), opening.final()])
    const end = plain.lastIndexOf(2)
    assert.ok(end > 0 && plain.subarray(end + 1).every((byte) => byte === 0), 'the last record ends with its delimiter')
    return plain.subarray(0, end).toString()
  }

  close() {
    this.server.close()
  }
}
