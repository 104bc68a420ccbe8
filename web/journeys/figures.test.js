// The hall in figures: a manager sees what phones did, opens a number's jobs, and takes the table along.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { staff } from './hall.js'
import { WORK, goIn, goOut } from './visit.js'

/** Takes a file along by its link. */
async function taken(page, name) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()])
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') }
}

const PARTS = ['arrivals', 'promises', 'readings', 'conduct', 'outcomes', 'hoses', 'phones']

test('a manager opens each part after a visit: a number opens its jobs, the table is a file, axe finds nothing', async (t) => {
  const hall = await opened(t)
  const me = staff('技术员')
  const job = await hall.job('sealing', me.login, '30100005')
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await goIn(phone, job)
  await WORK.sealing(phone)
  await goOut(phone)
  await phone.sent()
  // Whoever is called to it has nothing else on the screen.
  await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
  const desk = await Desk.open(hall, staff('经理'))
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk

  await desk.go('/figures')
  const arrivals = page.locator('.figure').first()
  await arrivals.getByRole('button', { name: `${me.name}，准时：1，查看工单` }).click()
  const behind = page.locator('.behind')
  await behind.getByText('准时').waitFor()
  await shows(() => behind.locator('li a').getAttribute('href'), `#/job/${job}`)

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
  const outcomes = await taken(page, '下载“上门结果” XLSX')
  assert.match(outcomes.name, /^outcomes-.*\.xlsx$/)
  assert.equal(outcomes.text.slice(0, 2), 'PK')

  await desk.go('/figures/phones')
  await page.locator('tr.phone-fine').filter({ hasText: me.name }).waitFor()
  const phones = await taken(page, '下载“手机” CSV')
  assert.match(phones.name, /^phones-\d{4}-\d\d-\d\d\.csv$/)
  assert.ok(phones.text.includes(`正常,${me.name},`), phones.text)
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
  const file = await taken(page, '下载“未停表的承诺” CSV')
  const written = file.text.split('\r\n').filter((it) => it.includes(',B2,工单,抢修,'))
  assert.match(file.name, /^open-promises-/)
  assert.equal(written.length, await page.locator('.figure tbody tr', { hasText: 'B2' }).count(), file.text)
  await page.getByRole('button', { name: '近 7 天' }).click()
  await page.getByRole('button', { name: /^B2，计时中：/ }).waitFor()
  assert.deepEqual(desk.problems, [])
})

test('an admin compares halls: another hall shows numbers and opens nothing, a manager is not asked', async (t) => {
  const hall = await opened(t)
  await hall.signIn(staff('管理员'))
  const other = { name: '城西营业厅', utc_offset_minutes: 480, manager: { login: 'west.manager', name: '韦经理', password: 'a quiet western river' } }
  await hall.post('/api/halls', other)
  await hall.signIn({ login: 'west.manager', password: other.manager.password })
  const homes = '用户编号,用户名称,用气地址,联系电话\n40100001,贺兰,西湖路8号2幢301室,13800138000\n'
  const handedIn = await fetch(`${hall.base}/api/imports?name=${encodeURIComponent('用户.csv')}`, {
    method: 'POST', headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${hall.token}` }, body: homes,
  })
  await hall.post(`/api/imports/${(await handedIn.json()).id}/apply`, { only_good: false })
  const start = Math.floor(Date.now() / 3_600_000) * 3_600_000
  const window = { start, end: start + 2 * 3_600_000 }
  await hall.post('/api/jobs', { kind: 'repair', account: '40100001', request: '灶火不旺', appointment: { window, channel: 'phone' } })
  const desk = await Desk.open(hall, staff('管理员'))
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk

  await desk.go('/figures/arrivals')
  await page.getByRole('button', { name: '近 30 天' }).click()
  await page.locator('.by select').selectOption('hall')
  await page.getByText('别的营业厅只有数字').waitFor()
  const bars = page.locator('.figure').first().locator('.bars li')
  await bars.filter({ hasText: '城西营业厅' }).waitFor()
  await bars.filter({ hasText: '城西营业厅' }).getByRole('img', { name: '城西营业厅，未到时间：1' }).waitFor()
  await shows(() => bars.filter({ hasText: '城西营业厅' }).locator('button').count(), 0)
  await shows(() => bars.count(), 2)
  await bars.filter({ hasNotText: '城西营业厅' }).locator('button').first().click()
  await page.locator('.behind li a').first().waitFor()
  const all = page.locator('.behind .head .button[download]')
  const [file] = await Promise.all([page.waitForEvent('download'), all.click()])
  assert.match(file.suggestedFilename(), /^arrivals-behind-.*\.xlsx$/)
  const halls = await taken(page, '下载“约定时段的兑现” CSV')
  assert.match(halls.text, /\r\n城西营业厅,0,0,0,0,0,0,0,1,,\r\n/)
  await page.locator('.by select').selectOption('kind')
  await bars.filter({ hasText: '维修' }).waitFor()
  await shows(() => page.locator('.behind').count(), 0, 'a list goes with its number')
  await desk.go('/figures/outcomes')
  await page.locator('.by select').selectOption('hall')
  await page.getByText('别的营业厅只有数字').waitFor()
  assert.deepEqual(await findings(page), [])
  assert.deepEqual(desk.problems, [])

  const manager = await Desk.open(hall, staff('经理'))
  t.after(() => manager.close().catch(() => undefined))
  await manager.go('/figures/arrivals')
  await manager.page.locator('.by select').waitFor()
  assert.ok(!(await manager.page.locator('.by option').allTextContents()).includes('营业厅'))
})

test('on paper there is nothing to press, and each part keeps its pattern', async (t) => {
  const hall = await opened(t)
  await hall.post('/api/jobs', { kind: 'emergency', account: '30100002', request: '厨房有异味' })
  const desk = await Desk.open(hall, staff('经理'))
  t.after(() => desk.close().catch(() => undefined))
  const { page } = desk
  await desk.go('/figures/promises')
  await page.locator('.figure .part').first().waitFor()
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' })

  for (const gone of ['header.top', '.files', '.parts a:not([aria-current])', '.spans']) {
    await shows(() => page.locator(gone).first().isVisible(), false, gone)
  }
  const look = await page.locator('.figure .part').first().evaluate((it) => {
    const { printColorAdjust } = getComputedStyle(it)
    return { printColorAdjust, ink: getComputedStyle(it.querySelector('.number')).color }
  })
  assert.deepEqual(look, { printColorAdjust: 'exact', ink: 'rgb(0, 0, 0)' })
  const grey = (color) => new Set(color.match(/\d+/g).slice(0, 3)).size === 1
  assert.ok(grey(await page.locator('.figure h2').first().evaluate((it) => getComputedStyle(it).color)))
})
