// How a phone seals: one way only, with a nonce that never comes again, and never without saying what is sealed.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'
import { goIn, goOut, readMeter } from './visit.js'

const me = staff('技术员')

test('check_58 everything is sealed with AES-GCM under a nonce that never comes again', async (t) => {
  const hall = await opened(t)
  const job = await hall.job('meter_reading', me.login, '30100005')
  const profile = place(t, 'profile')
  mkdirSync(profile, { recursive: true })
  const phone = await Phone.open(hall, profile)
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  const [worker] = phone.page.workers()
  await worker.evaluate(() => {
    const encrypt = SubtleCrypto.prototype.encrypt
    globalThis.sealed = []
    SubtleCrypto.prototype.encrypt = function (how, ...rest) {
      const digits = Array.from(new Uint8Array(how.iv ?? []), (byte) => byte.toString(16).padStart(2, '0')).join('')
      globalThis.sealed.push({ name: how.name, nonce: digits, about: how.additionalData?.byteLength ?? 0 })
      return encrypt.call(this, how, ...rest)
    }
  })

  await goIn(phone, job)
  await readMeter(phone)
  await goOut(phone, false)
  await phone.sent()

  const sealed = await worker.evaluate(() => globalThis.sealed)
  assert.ok(sealed.length > 10, `${sealed.length} sealings`)
  assert.deepEqual([...new Set(sealed.map((it) => it.name))], ['AES-GCM'])
  assert.equal(new Set(sealed.map((it) => it.nonce)).size, sealed.length, 'no nonce twice')
  for (const { nonce, about } of sealed) {
    assert.equal(nonce.length, 24, '96 bits')
    assert.ok(about > 0, 'what is sealed is bound to what it is')
  }
  // Drawn, not counted: as far apart as chance has it in each byte.
  const firsts = new Set(sealed.map((it) => it.nonce.slice(0, 2)))
  assert.ok(firsts.size > Math.min(sealed.length, 256) / 4, `${firsts.size} different first bytes`)
})
