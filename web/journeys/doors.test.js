// Doors that do not open: the ladder's steps at the desk, on the pages of household and job, and what is due (A2).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { PICTURE, Phone } from './browser.js'
import { Desk } from './desk.js'
import { opened, place, shows } from './ground.js'
import { ACCOUNTS, staff } from './hall.js'

const me = staff('技术员')
const dora = staff('调度员')

async function shot(page, name) {
  const folder = process.env.DOORSTEP_SHOTS
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}

test('a2 a call about a door that did not open is written down at the desk, and every page shows the steps', async (t) => {
  const hall = await opened(t)
  const job = await hall.job('safety_inspection', me.login, ACCOUNTS[0])
  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(me)
  await phone.sent()
  await phone.job(job)
  await phone.tap('出发')
  await phone.tap('已到达')
  await phone.page.getByRole('button', { name: '不能完成？' }).click()
  await phone.page.locator('.end').getByRole('button', { name: '到访不遇' }).click()
  await phone.saves(() => phone.page.locator('.end input[type=file]').setInputFiles(PICTURE))
  await phone.tap('结束本次上门')
  await phone.sent()

  const desk = await Desk.open(hall, dora)
  t.after(() => desk.close())
  const { page } = desk
  await desk.go('/doors')
  await page.getByRole('button', { name: '未遇用户' }).click()
  const row = page.locator('[data-door]')
  await shows(() => row.innerText(), /先电话预约再上门/)
  await row.getByRole('button', { name: '登记已办' }).click()
  await page.getByLabel('结果和原因').fill('无人接听，已发短信')
  await shot(page, 'desk-ladder-form-zh')
  await page.locator('dialog').getByRole('button', { name: '确定' }).click()
  await shows(() => row.locator('[data-step=phone_first]').innerText(), /✓[\s\S]*无人接听，已发短信/)
  await shot(page, 'desk-ladder-zh')
  assert.deepEqual(await findings(page), [])

  await desk.go(`/job/${job}`)
  const ladder = page.locator('[data-ladder=safety_inspection]')
  await shows(() => ladder.innerText(), /先电话预约再上门[\s\S]*第 2 次到访不遇后/)
  await shot(page, 'desk-job-ladder-zh')
  assert.deepEqual(await findings(page), [])
  const home = await row.count().then(() => hall.jobPage(job)).then((it) => it.job.briefing.household.id)
  await desk.go(`/households/${home}`)
  await ladder.getByRole('button', { name: '登记已办' }).click()
  await page.getByLabel('结果和原因').fill('第二次打通，约周六')
  await page.locator('dialog').getByRole('button', { name: '确定' }).click()
  await shows(() => ladder.locator('[data-step=phone_first]').innerText(), /约周六/)
  await shows(() => page.locator('.timeline').innerText(), /已办“先电话预约再上门”：第二次打通/)
  await shot(page, 'desk-home-ladder-zh')
  assert.deepEqual(await findings(page), [])

  await page.evaluate(() => localStorage.setItem('doorstep.language', 'en'))
  await page.reload()
  await shows(() => ladder.innerText(), /Telephone first/)
  await shot(page, 'desk-home-ladder-en')
  await desk.go(`/job/${job}`)
  await shows(() => ladder.innerText(), /after 2 × No one home/)
  await shot(page, 'desk-job-ladder-en')
  await desk.go('/doors')
  await page.getByRole('button', { name: 'Not reached' }).click()
  await shows(() => row.innerText(), /Telephone first/)
  await shot(page, 'desk-ladder-en')
  await desk.go('/due')
  const due = page.locator('.due-list tbody tr', { hasText: ACCOUNTS[0] }).filter({ hasText: 'No one home' })
  await page.locator('.due-filter input[type=search]').fill(ACCOUNTS[0])
  await page.locator('.due-filter input[type=search]').press('Enter')
  await page.locator('.due-list, .nothing').first().waitFor()
  await shot(page, 'desk-due-en')
  await shows(() => due.first().innerText(), /No one home/)
  assert.deepEqual({ desk: desk.problems, phone: phone.problems }, { desk: [], phone: [] })
})
