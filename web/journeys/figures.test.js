// The hall in figures: a manager sees what phones did, opens a number's jobs, and takes the table along.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place } from './ground.js'
import { staff } from './hall.js'
import { WORK, goIn, goOut } from './visit.js'

const PARTS = ['arrivals', 'promises', 'readings', 'conduct', 'outcomes', 'hoses', 'phones']

test('a manager opens each part after a visit: a number opens its jobs, the table is a file, axe finds nothing', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员')
  const job = await hall.job('sealing', me.login, '30100005')
  await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await goIn(phone, job)
  await WORK.sealing(phone)
  await goOut(phone)
  await phone.sent()
  const desk = await Desk.open(hall, staff('经理'))
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk

  await desk.go('/figures')
  const arrivals = page.locator('.figure').first()
  await arrivals.getByRole('button', { name: `${me.name}，准时：1，查看工单` }).click()
  const behind = page.locator('.behind')
  await behind.getByText('准时').waitFor()
  assert.equal(await behind.locator('a').getAttribute('href'), `#/job/${job}`)

  const found = []
  for (const theme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: theme })
    for (const part of PARTS) {
      await desk.go(`/figures/${part}`)
      await page.locator(`.parts a[aria-current][href="#/figures/${part}"]`).waitFor()
      await page.locator('.figure h2').first().waitFor()
      for (const details of await page.locator('.figure details summary').all()) await details.click()
      found.push(...(await findings(page)).map((finding) => `${theme} ${part}: ${finding}`))
    }
  }
  assert.deepEqual(found, [])

  await desk.go('/figures/outcomes')
  await page.getByRole('link', { name: '下载“上门结果” XLSX' }).waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: '下载“上门结果” XLSX' }).click()])
  assert.match(file.suggestedFilename(), /^outcomes-.*\.xlsx$/)
  assert.equal(readFileSync(await file.path()).subarray(0, 2).toString(), 'PK')

  await desk.go('/figures/phones')
  await page.locator('tr.phone-fine').filter({ hasText: me.name }).waitFor()
  await page.locator('header.top button[lang]').click()
  await page.getByRole('heading', { name: 'Phones' }).waitFor()
  await desk.go('/figures/conduct')
  await page.getByRole('button', { name: 'Clean uniform, chest badge on (A3), Done: 1; show the jobs' }).waitFor()
  assert.deepEqual(desk.problems, [])
})

test('days without anything say so, and a promise whose clock runs is shown on any days', async (t) => {
  const hall = await opened(t)
  const made = await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
  const desk = await Desk.open(hall, staff('经理'))
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  await desk.go('/figures/promises')
  await page.locator('input[type=date]').first().fill('2020-01-01')
  await page.locator('input[type=date]').last().fill('2020-01-02')

  await page.getByText('这些天没有记录').waitFor()
  const line = page.locator('.figure tbody tr').filter({ has: page.locator(`a[href="#/job/${made.id}"]`) })
  await line.filter({ hasText: 'B2' }).filter({ hasText: /还剩 2\d 分钟|还剩 30 分钟/ }).waitFor()
  await page.getByRole('button', { name: '近 7 天' }).click()
  await page.getByRole('button', { name: /^B2，计时中：/ }).waitFor()
  assert.deepEqual(desk.problems, [])
})
