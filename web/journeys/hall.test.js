// What the hall does while a phone is away: cancel, give to somebody else, write, bring out a new app.

import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Phone } from './browser.js'
import { opened, place, shows, until } from './ground.js'
import { staff } from './hall.js'
import { goIn, goOut, readMeter } from './visit.js'

const me = staff('技术员')
const other = staff('技术员', 1)

async function atTheDoor(t) {
  const hall = await opened(t)
  const job = await hall.job('meter_reading', me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  return { hall, job, phone }
}

test('s14 a job cancelled while somebody is at the door shows both facts and what to do', async (t) => {
  const { hall, job, phone } = await atTheDoor(t)
  await phone.context.setOffline(true)
  await goIn(phone, job)
  await hall.post(`/api/jobs/${job}/cancellations`, { reason: '用户来电取消' })
  await phone.context.setOffline(false)
  await phone.sent()

  const card = phone.page.locator('.clash')
  await card.getByText('取消时已有人上门').waitFor()
  const words = await card.innerText()
  assert.match(words, /用户来电取消/)
  assert.match(words, /我：\d\d:\d\d 到达/)
  assert.match(words, /怎么办：/)
  await readMeter(phone)
  await goOut(phone, false)
  await phone.sent()
  assert.ok((await hall.facts(job)).some((fact) => fact.type === 'closed'), 'what happened is kept')
})

test('a job given to somebody else while this phone was offline says so, and keeps what was done', async (t) => {
  const { hall, job, phone } = await atTheDoor(t)
  await phone.context.setOffline(true)
  await goIn(phone, job)
  await hall.post(`/api/jobs/${job}/assignments`, { technician: (await hall.user(other.login)).id })
  await phone.context.setOffline(false)
  await phone.sent()

  const card = phone.page.locator('.left')
  await card.getByText('已改派给他人').waitFor()
  const words = await card.innerText()
  assert.match(words, /我：\d\d:\d\d 到达，已记录 \d+ 条/)
  assert.match(words, /你的记录已保留/)
  await phone.page.reload()
  await phone.unlock()
  await card.waitFor()
  await card.getByRole('button', { name: '知道了' }).click()
  await card.waitFor({ state: 'detached' })
  assert.equal((await hall.facts(job)).filter((fact) => fact.type === 'arrived').length, 1)
})

test('what changed since the last look stands out until it was looked at', async (t) => {
  const { hall, job, phone } = await atTheDoor(t)
  const line = phone.page.locator(`[data-job="${job}"]`)
  await line.getByText('新工单').waitFor()
  await phone.job(job)
  await phone.page.getByRole('button', { name: '我的工单' }).click()
  await line.getByText('新工单').waitFor({ state: 'detached' })
  const now = Date.now()
  const window = { start: now + 3_600_000, end: now + 7_200_000 }
  await hall.post(`/api/jobs/${job}/appointments`, { window, channel: 'phone' })
  await phone.sent()

  await line.getByText('时间有变').waitFor()
  await phone.job(job)
  await phone.page.getByText('时间有变').waitFor()
  await phone.page.getByRole('button', { name: '我的工单' }).click()
  await line.getByText('时间有变').waitFor({ state: 'detached' })
})

test('messages go both ways, and are written without a network', async (t) => {
  const { hall, job, phone } = await atTheDoor(t)
  await hall.stop()
  await phone.job(job)
  await phone.page.getByLabel('写给营业厅').fill('门禁打不开，请联系物业')
  await phone.tap('发送')
  await phone.page.locator('.messages .mine').getByText('仅在本机').waitFor()
  await hall.start()
  await phone.sent()
  await phone.page.locator('.messages .mine').getByText('营业厅已收到').waitFor()
  await hall.post(`/api/jobs/${job}/messages`, { text: '物业五分钟后到' })
  await phone.sent()

  await phone.page.locator('.messages').getByText('物业五分钟后到').waitFor()
  const { job: known } = await hall.jobPage(job)
  assert.deepEqual(Object.values(known.messages).map((message) => message.text).sort(), ['物业五分钟后到', '门禁打不开，请联系物业'].sort())
})

test('a new version of the app waits until the visit is over and somebody takes it', async (t) => {
  const newer = place(t, 'newer')
  const { hall, job, phone } = await atTheDoor(t)
  await phone.kept()
  cpSync(process.env.DOORSTEP_WEB, newer, { recursive: true })
  const worker = join(newer, 'm/sw.js')
  const [kept] = await phone.page.evaluate(() => caches.keys())
  const text = readFileSync(worker, 'utf8')
  const newerText = text.replaceAll(kept.replace('doorstep-', ''), 'newer0000000')
  assert.notEqual(newerText, text)
  writeFileSync(worker, newerText)
  for (const ending of ['.br', '.gz']) rmSync(worker + ending)
  await phone.job(job)
  await phone.tap('出发')
  await phone.tap('已到达')
  await hall.stop()
  await hall.start(hall.port, newer)
  await phone.page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update())
  await until(() => phone.page.evaluate(async () => Boolean((await navigator.serviceWorker.getRegistration())?.waiting)))
  const offered = phone.page.getByText('新版本已准备好')
  await shows(() => offered.count(), 0, 'not during a visit')

  await goOn(phone)
  await goOut(phone, false)
  await offered.waitFor()
  await phone.page.getByRole('button', { name: '现在更新' }).click()
  await phone.unlock()
  await phone.listed()
  await phone.sent()

  assert.deepEqual(await phone.page.evaluate(() => caches.keys()), ['doorstep-newer0000000'])
  assert.equal((await hall.jobPage(job)).standing.status, 'done')
})

async function goOn(phone) {
  await phone.tap('全部做到')
  await phone.page.locator('.steps .next', { hasText: '入户前' }).waitFor()
  await phone.tap('全部做到')
  await readMeter(phone)
}
