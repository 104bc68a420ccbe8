// Reaching the technician: a banner in the open app, a message on the lock screen by the real service worker, a tap offline.

import assert from 'node:assert/strict'
import { createECDH, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'

const ACCOUNT = '30100001'

/** A browser whose push service is of our own making: the real one is not in a test's reach. */
const subscribing = (endpoint, p256dh, auth) => `
  const made = (options) => ({
    options, endpoint: '${endpoint}', unsubscribe: async () => ((window.subscribed = null), true),
    toJSON: () => ({ endpoint: '${endpoint}', keys: { p256dh: '${p256dh}', auth: '${auth}' } }),
  })
  PushManager.prototype.getSubscription = async () => window.subscribed ?? null
  PushManager.prototype.subscribe = async (options) => (window.subscribed = made(options))
`

async function technician(t, hall, options = {}) {
  const me = staff('技术员')
  const phone = await Phone.open(hall, place(t, 'profile'), { permissions: ['geolocation', 'notifications'], ...options })
  t.after(() => phone.close().catch(() => undefined))
  return [phone, me]
}

test('a2 a job given at the desk shows at once on the open app, and the hall knows that it was shown', async (t) => {
  const hall = await opened(t)
  const [phone, me] = await technician(t, hall)
  await phone.enrol(me)
  await until(async () => (await channels(hall, me)).stream_open)

  const began = Date.now()
  const job = await hall.job('repair', me.login, ACCOUNT)
  const notice = phone.page.locator('.notice[data-kind="assigned"]')
  await notice.waitFor({ timeout: 10_000 })
  console.log(`# a job given at the desk was shown after ${Date.now() - began} ms`)
  await shows(() => notice.innerText(), /新派工单.*维修/s)
  if (process.env.SHOTS) await phone.page.screenshot({ path: `${process.env.SHOTS}/banner.png` })

  await notice.getByRole('button', { name: '打开' }).click()
  await phone.page.locator('.head h1').waitFor()
  assert.ok(phone.page.url().includes(job))
  // Nobody but the technician reads notices: their own test tells what the hall knows of this phone.
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await phone.page.getByRole('button', { name: '发送测试通知' }).click()
  await phone.page.locator('.came', { hasText: '本机已显示' }).waitFor({ timeout: 15_000 })
  await shows(() => phone.page.locator('.came').innerText(), /应用打开时\s*已送出 · 本机已显示/)
  if (process.env.SHOTS) await phone.page.screenshot({ path: `${process.env.SHOTS}/about.png`, fullPage: true })
  assert.deepEqual(phone.problems, [])
})

test('a2 the service worker shows a message with nothing personal in it, and a tap opens the job without a network', async (t) => {
  const hall = await opened(t)
  const [phone, me] = await technician(t, hall)
  await phone.enrol(me)
  const job = await hall.job('repair', me.login, ACCOUNT)
  await phone.page.locator('.notice').waitFor()
  await phone.sent()
  await phone.kept()
  await hall.stop()

  const browser = await phone.context.newCDPSession(phone.page)
  const registration = new Promise((resolve) => browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    if (registrations.length) resolve(registrations[0].registrationId)
  }))
  await browser.send('ServiceWorker.enable')
  const title = '新派工单'
  const data = JSON.stringify({ web_push: 8030, notification: { title, body: '维修', navigate: `${hall.base}/m/#/job/${job}`, lang: 'zh', tag: 'job' } })
  await browser.send('ServiceWorker.deliverPushMessage', { origin: hall.base, registrationId: await registration, data })
  const shown = await until(() => phone.page.evaluate(async () => {
    const [notification] = await (await navigator.serviceWorker.ready).getNotifications()
    return notification && { title: notification.title, body: notification.body, tag: notification.tag }
  }))
  assert.deepEqual(shown, { title, body: '维修', tag: 'job' })

  // No desktop to tap on: the same event that a tap raises.
  const [worker] = phone.context.serviceWorkers()
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications()
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
  })
  await phone.page.locator('.head h1').waitFor({ timeout: 10_000 })
  assert.ok(phone.page.url().includes(job), 'the app that is open shows the job, with the server away')
  assert.deepEqual(phone.problems, [])
})

test('a tap turns the lock screen on, and what cannot be had is said within ten seconds', async (t) => {
  const hall = await opened(t)
  const [phone, me] = await technician(t, hall)
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  const endpoint = 'https://fcm.googleapis.com/fcm/send/a-phone'
  await phone.enrol(me)
  await phone.kept()
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  const state = phone.page.locator('.reach dd [role="status"]').first()

  // A browser that never answers, as Chromium without its push service does.
  await phone.page.evaluate(() => (PushManager.prototype.subscribe = () => new Promise(() => undefined)))
  const began = Date.now()
  await phone.page.getByRole('button', { name: '开启锁屏推送' }).click()
  await phone.page.locator('.reach', { hasText: '推送服务不可用' }).waitFor({ timeout: 12_000 })
  assert.ok(Date.now() - began < 11_500)
  if (process.env.SHOTS) await phone.page.screenshot({ path: `${process.env.SHOTS}/away.png`, fullPage: true })

  // The name is looked up when it is saved: without a network beyond this machine the hall says so, and so does the app.
  await phone.page.evaluate(subscribing(endpoint, ecdh.getPublicKey('base64url'), randomBytes(16).toString('base64url')))
  await phone.page.getByRole('button', { name: '开启锁屏推送' }).click()
  await phone.page.waitForFunction(() => /已开启|不可用/.test(document.querySelector('.reach dd [role="status"]')?.textContent ?? ''), null, { timeout: 12_000 })
  const { pushes } = await channels(hall, me)
  assert.equal(pushes.length > 0, (await state.innerText()) === '已开启', 'the app says what the hall has')
})

async function channels(hall, { login }) {
  const { id } = await hall.user(login)
  return (await hall.get('/api/channels')).technicians.find((it) => it.user === id)
}
