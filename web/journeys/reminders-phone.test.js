// Reminders on the phone: worked out without a network, put off, seen to, and told to the hall later; never twice with the hall's own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Ten in the morning of tomorrow in the hall's city: reminders are still by night. */
const TEN = (Math.floor((Date.now() + 8 * 3_600_000) / DAY_MS) + 1) * DAY_MS + 2 * 3_600_000
const ACCOUNT = '30100001'
const LOOK = process.env.DOORSTEP_LOOK
const look = async (page, name) => LOOK && (await page.screenshot({ path: `${LOOK}/${name}.png` }))

/** A hall at ten, its first technician with a phone, and a repair of theirs at eleven. */
async function stage(t) {
  const hall = await opened(t, ['--clock', 'manual'])
  const at = (minutes) => hall.post('/api/clock', { now_ms: TEN + minutes * MINUTE_MS })
  await at(0)
  await hall.signIn(staff('调度员'))
  const me = staff('技术员')
  const window = { start: TEN + 60 * MINUTE_MS, end: TEN + 180 * MINUTE_MS }
  const technician = (await hall.user(me.login)).id
  const { id } = await hall.post('/api/jobs', { kind: 'repair', account: ACCOUNT, request: '灶火不旺', technician, appointment: { window, channel: 'phone' } })
  const phone = await Phone.open(hall, place(t, 'profile'), { serviceWorkers: 'block' })
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.page.locator(`li[data-job="${id}"]`).waitFor()
  await phone.sent()
  const card = phone.page.locator('.card.reminder')
  return { hall, at, me, job: id, phone, card }
}

/** What the hall reminds a technician of, asked with a session of their own. */
async function atHall(hall, { login, password }) {
  const code = await hall.code(login)
  const { token } = await hall.send('POST', '/api/devices', { login, password, code, name: 'second' })
  return async () => {
    const reply = await fetch(`${hall.base}/api/reminders`, { headers: { authorization: `Bearer ${token}` } })
    return (await reply.json()).reminders
  }
}

test('a1 a2 a phone without a network reminds, puts off and is seen to, and the hall hears of it', async (t) => {
  const { hall, at, me, job, phone, card } = await stage(t)
  const known = await atHall(hall, me)
  await shows(() => card.count(), 0)
  await phone.context.setOffline(true)

  await phone.shiftClock(25 * MINUTE_MS)
  const ahead = card.filter({ hasText: '该打电话联系用户了' })
  await ahead.filter({ hasText: '11:00 开始' }).waitFor({ timeout: 40_000 })
  await look(phone.page, 'reminder-zh')
  assert.deepEqual(await findings(phone.page), [])
  await phone.tap('10 分钟后', ahead)
  await ahead.waitFor({ state: 'detached' })
  await phone.shiftClock(36 * MINUTE_MS)
  await ahead.waitFor({ timeout: 40_000 })
  await phone.tap('已处理', ahead)
  await ahead.waitFor({ state: 'detached' })

  // The hall begins its own meanwhile, and hears that it is seen to.
  await at(36)
  await until(known, (list) => list.some((it) => it.about === 'phone_ahead' && it.job === job), 'the hall reminds as well')
  await phone.context.setOffline(false)
  await until(known, (list) => !list.some((it) => it.about === 'phone_ahead'), 'the hall hears that it is seen to')
  await phone.page.waitForFunction(() => document.querySelector('.strip.held:not(.trouble)'))
  await shows(() => phone.page.locator('.notice[data-kind^="reminder"]').count(), 0, 'no banner beside the card')
  await shows(() => ahead.count(), 0)
  assert.deepEqual(phone.problems, [])
})

test('a2 what hall and phone both know stands there once, and the hall knows that it was shown', async (t) => {
  const { hall, at, me, job, phone, card } = await stage(t)
  const known = await atHall(hall, me)
  // Time passes for both.
  await phone.shiftClock(48 * MINUTE_MS)
  await at(48)
  await until(known, (list) => list.length === 2, 'the hall reminds of both')
  const ahead = card.filter({ hasText: '该打电话联系用户了' })
  const setOut = card.filter({ hasText: '还没出发' })
  await ahead.waitFor({ timeout: 40_000 })
  await setOut.waitFor()
  await look(phone.page, 'reminders-two-zh')
  const ofJob = phone.page.locator(`.card.reminder[data-reminder*="${job}"]`)
  await shows(() => ofJob.count(), 2)
  await shows(() => phone.page.locator('.notice').filter({ hasText: '提醒' }).count(), 0, 'no banner beside them')

  // Phoned ahead and set out: their causes are gone on the phone at once, and at the hall with the next meeting.
  await phone.job(job)
  await phone.tap('已接通')
  await phone.page.locator('.card.reminder', { hasText: '该打电话' }).waitFor({ state: 'detached' })
  await phone.tap('出发')
  await phone.page.locator('.card.reminder').waitFor({ state: 'detached' })
  await phone.sent()
  await at(49)
  await until(known, (list) => list.length === 0, 'the causes are gone')
  assert.deepEqual(phone.problems, [])
})
