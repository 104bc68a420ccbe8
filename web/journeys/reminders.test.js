// Reminders at the desk: told before a promise breaks, put off, seen to by somebody for everybody; duties recorded and missed.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Desk } from './desk.js'
import { ROOT, opened } from './ground.js'
import { staff } from './hall.js'

const MINUTE_MS = 60_000
const [dora, manager] = [staff('调度员'), staff('经理')]
const DAY_MS = 86_400_000
/** Ten in the morning of the next Friday but one in the hall's city: what the demo promised is over by then. */
const TEN = (() => {
  const today = Math.floor((Date.now() + 8 * 3_600_000) / DAY_MS)
  // The first day of 1970 was a Thursday.
  const friday = today + 7 + ((8 - (today % 7)) % 7)
  return friday * DAY_MS + 2 * 3_600_000
})()

async function desk(t, hall, person, options) {
  const it = await Desk.open(hall, person, options)
  t.after(() => it.close().catch(() => undefined))
  return it
}

const shot = async (desk, name) => {
  const shots = join(ROOT, 'shots', 'reminders')
  mkdirSync(shots, { recursive: true })
  await desk.page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

test('b2 b6 what will be late is told at every desk, put off, and taken off all lists by who saw to it', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  const at = (minutes) => hall.post('/api/clock', { now_ms: TEN + minutes * MINUTE_MS })
  await at(0)
  await hall.signIn(dora)
  await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
  const window = { start: TEN + 5 * MINUTE_MS, end: TEN + 65 * MINUTE_MS }
  const [me] = (await hall.get('/api/users?limit=500')).users.filter((it) => it.role === 'technician')
  await hall.post('/api/jobs', { kind: 'repair', account: '30100005', request: '灶火不旺', technician: me.id, appointment: { window, channel: 'phone' } })
  await at(20)
  const mine = await desk(t, hall, dora)
  const other = await desk(t, hall, manager)
  await mine.page.clock.setFixedTime(TEN + 20 * MINUTE_MS)
  await other.page.clock.setFixedTime(TEN + 20 * MINUTE_MS)
  await mine.go('/reminders')
  await other.go('/reminders')
  const line = (desk, about) => desk.page.locator('.reminders tbody tr').filter({ hasText: about })
  await line(mine, '承诺将要超时').filter({ hasText: '还有 10 分钟' }).waitFor()
  await line(mine, '还没出发').filter({ hasText: '已过 15 分钟' }).waitFor()
  await shot(mine, 'zh')
  assert.deepEqual(await findings(mine.page), [])

  await line(mine, '承诺将要超时').getByRole('button', { name: '10 分钟后再提醒' }).click()
  await line(other, '承诺将要超时').waitFor({ state: 'detached' })
  await other.page.getByText('稍后再提醒的：1 项').waitFor()
  await line(mine, '还没出发').getByRole('button', { name: '已处理' }).click()
  await line(other, '还没出发').waitFor({ state: 'detached' })
  await other.page.getByText('现在没有要提醒的').waitFor()
  assert.deepEqual([mine.problems, other.problems], [[], []])
})

test('d5 duties of the day are recorded with what was found, and the book shows what was missed', async (t) => {
  const hall = await opened(t, ['--clock', 'manual'])
  await hall.post('/api/clock', { now_ms: TEN })
  const mine = await desk(t, hall, manager, { viewport: { width: 1920, height: 1080 } })
  await mine.page.clock.setFixedTime(TEN)
  await mine.go('/reminders')
  const { page } = mine
  await page.locator('.duty.open').filter({ hasText: '巡查第一次' }).click()
  await page.getByLabel('情况、发现、交接').fill('三号窗口打印机缺纸，已补')
  await page.getByRole('button', { name: '登记完成' }).click()
  await page.locator('.duty.done').filter({ hasText: '巡查第一次' }).waitFor()
  await page.getByText('三号窗口打印机缺纸，已补').waitFor()
  await page.locator('.duty.missed').filter({ hasText: '班前会' }).waitFor()
  await page.locator('.duty.open').filter({ hasText: '下周工作计划' }).waitFor()
  await shot(mine, 'duties-zh')
  await page.getByRole('button', { name: 'English' }).click()
  await page.locator('.duty.done').filter({ hasText: 'First round of the posts' }).waitFor()
  await shot(mine, 'duties-en')
  assert.deepEqual(await findings(page), [])
  assert.deepEqual(mine.problems, [])
})
