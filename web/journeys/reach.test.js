// Reaching the technician: a banner in the open app, a message on the lock screen by the real service worker, a tap offline.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { openedByDay, place, shows, until } from './ground.js'
import { staff } from './hall.js'
import { PushService } from './push.js'

const ACCOUNT = '30100001'
// A reminder of the same job would take the place of what is tried here.
process.env.DOORSTEP_REMINDERS = 'false'

async function technician(t, hall, options = {}) {
  const me = staff('技术员')
  const phone = await Phone.open(hall, place(t, 'profile'), { permissions: ['geolocation', 'notifications'], ...options })
  t.after(() => phone.close().catch(() => undefined))
  return [phone, me]
}

test('a2 a job given at the desk shows at once on the open app, and the hall knows that it was shown', async (t) => {
  const hall = await openedByDay(t)
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
  const hall = await openedByDay(t)
  const [phone, me] = await technician(t, hall)
  await phone.enrol(me)
  const job = await hall.job('repair', me.login, ACCOUNT)
  await phone.page.locator('.notice').waitFor()
  await phone.page.locator(`li[data-job="${job}"]`).waitFor({ state: 'attached' })
  await phone.kept()
  await hall.stop()

  const title = '新派工单'
  const data = JSON.stringify({ web_push: 8030, notification: { title, body: '维修', navigate: `${hall.base}/m/#/job/${job}`, lang: 'zh', tag: 'job' } })
  const deliver = await PushService.prototype.deliverTo(phone)
  const notification = () => phone.page.evaluate(async () => {
    const [notification] = await (await navigator.serviceWorker.ready).getNotifications()
    return notification && { title: notification.title, body: notification.body, tag: notification.tag }
  })
  // A service delivers again what a busy browser has not shown; the tag makes one of them.
  const shown = await until(async () => (await notification()) ?? (await deliver(data), null))
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

test('a tap turns the lock screen on, a job given at the desk is on it, and what cannot be had is said within ten seconds', async (t) => {
  const service = await PushService.open()
  t.after(() => service.close())
  const hall = await openedByDay(t)
  service.ahead = hall.ahead
  const [phone, me] = await technician(t, hall)
  await phone.enrol(me)
  await phone.kept()
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  const state = phone.page.locator('.reach dd [role="status"]').first()
  const turnOn = phone.page.getByRole('button', { name: '开启锁屏推送' })

  // A browser that never answers, as Chromium without its push service does.
  await phone.page.evaluate(() => (PushManager.prototype.subscribe = () => new Promise(() => undefined)))
  const began = Date.now()
  await turnOn.click()
  await phone.page.locator('.reach', { hasText: '推送服务不可用' }).waitFor({ timeout: 12_000 })
  assert.ok(Date.now() - began < 11_500)
  if (process.env.SHOTS) await phone.page.screenshot({ path: `${process.env.SHOTS}/away.png`, fullPage: true })

  await service.serve(phone)
  await turnOn.click()
  await shows(() => state.innerText(), '已开启')
  assert.equal((await channels(hall, me)).pushes.length, 1, 'the hall has what the app says')
  const deliver = await service.deliverTo(phone)
  service.heard = deliver
  // Nobody looks at the app: what it hears it does not report as shown.
  await phone.page.evaluate(() => Object.defineProperty(document, 'hidden', { get: () => true }))
  const job = await hall.job('repair', me.login, ACCOUNT)

  const shown = () => phone.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((it) => [it.title, it.body, it.data.navigate]))
  await shows(shown, [['新派工单', '维修', `${hall.base}/m/#/job/${job}`]])
  await shows(async () => Boolean((await channels(hall, me)).pushes[0].sent_at), true, 'the dispatcher sees that the service took it')

  // The push service ends it: the hall knows, and the app subscribes anew when it is opened, without a tap.
  service.status = 410
  await hall.job('repair', me.login, ACCOUNT)
  await until(async () => (await channels(hall, me)).pushes[0].ended_at, Boolean, 'the hall knows that it is over')
  service.status = 201
  await phone.page.reload()
  await phone.unlock()
  await shows(async () => (await channels(hall, me)).pushes.map((it) => Boolean(it.ended_at)), [false], 'the newest one is alive')
  assert.deepEqual(phone.problems, [])
})

test('b2 a tap on a message tells the hall that a person was reached, and the desk sees it', async (t) => {
  const service = await PushService.open()
  t.after(() => service.close())
  const hall = await openedByDay(t)
  service.ahead = hall.ahead
  const [phone, me] = await technician(t, hall)
  await phone.enrol(me)
  await phone.kept()
  await phone.page.evaluate(() => (location.hash = '#/phone'))
  await service.serve(phone)
  await phone.page.getByRole('button', { name: '开启锁屏推送' }).click()
  await shows(() => phone.page.locator('.reach dd [role="status"]').first().innerText(), '已开启')
  service.heard = await service.deliverTo(phone)
  // Nobody looks at the app, so that it cannot be what tells the hall.
  await phone.page.evaluate(() => Object.defineProperty(document, 'hidden', { get: () => true }))
  const { id } = await hall.user(me.login)
  const { id: job } = await hall.post('/api/leaks', { account: ACCOUNT, phone: '13912345678' })
  const call = async () => (await hall.get('/api/leaks')).leaks.find((it) => it.job === job).called.find((it) => it.id === id)
  const notifications = () => phone.page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map((it) => it.data.kind))
  await shows(notifications, ['leak_call'])
  assert.equal((await call()).shown_at, null, 'a message on a lock screen is nobody reached')

  const [worker] = phone.context.serviceWorkers()
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications()
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }))
  })

  await until(async () => (await call()).shown_at, Number.isInteger, 'the tap tells the hall')
  assert.deepEqual(phone.problems, [])
})

async function channels(hall, { login }) {
  const { id } = await hall.user(login)
  return (await hall.get('/api/channels')).technicians.find((it) => it.user === id)
}
