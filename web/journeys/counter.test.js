// The counter: incomplete, everything missing is said once; the second visit settles it; jobs, first gas by a phone, counted as trips (C1, C4, C7, B16, B3).

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findings } from './axe.js'
import { Phone } from './browser.js'
import { Desk } from './desk.js'
import { ROOT, opened, place, shows } from './ground.js'
import { staff } from './hall.js'
import { WORK, goIn, goOut } from './visit.js'

const ACCOUNT = '30100005'
const hong = staff('营业员')
const SHOTS = process.env.DOORSTEP_SHOTS ?? join(ROOT, 'shots', 'counter')

const shot = async (page, name) => {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`) })
}

/** The page in both languages, without findings. */
async function look(page, name) {
  await shot(page, `${name}-zh`)
  assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: 'English' }).click()
  await shot(page, `${name}-en`)
  assert.deepEqual(await findings(page), [])
  await page.getByRole('button', { name: '中文' }).click()
}

const item = (page, id) => page.locator(`[data-item="${id}"]`)

/** Notes that a paper was seen. */
async function see(page, id, name) {
  const row = item(page, id)
  if (name) await row.getByLabel('证件上的姓名').fill(name)
  await row.getByLabel('末四位').fill('123X')
  await row.getByRole('button', { name: '已看' }).click()
  await row.getByText('已看原件').waitFor()
}

test('c7 b16 what is missing is said once, the second visit settles it, and first gas is counted with its trips', async (t) => {
  const hall = await opened(t)
  const mine = await Desk.open(hall, hong)
  t.after(() => mine.close().catch(() => undefined))
  const { page } = mine

  // Taken on in a minute: what, whose, and what has to be brought.
  await mine.go('/applications')
  await page.getByRole('button', { name: '办理业务' }).click()
  await page.getByLabel('报装').check()
  await page.getByLabel('哪一户').fill(ACCOUNT)
  await page.locator('.hits button').first().click()
  await page.locator('.needed').getByText('购房发票').waitFor()
  await look(page, 'form')
  await page.getByRole('button', { name: '登记' }).click()
  await page.locator('[data-state="open"]').waitFor()
  const id = page.url().split('/').pop()

  // One paper is there; everything else is said in one go.
  await see(page, 'holder_id', '王芳')
  const note = page.locator('.say-once')
  await shows(() => note.locator('li').allInnerTexts(), ['请带：购房发票', '应缴：报装费，金额由营业厅核算'])
  await page.getByLabel('由他人代办').check()
  await note.getByText('请带：户主签字的委托书').waitFor()
  await page.getByLabel('由他人代办').uncheck()
  await note.getByText('请带：户主签字的委托书').waitFor({ state: 'detached' })
  await look(page, 'incomplete')
  await note.getByRole('button', { name: '已全部告知' }).click()
  await page.locator('[data-state="incomplete"]').waitFor()

  // The second visit: another name on the invoice is seen at once, and mended.
  await page.getByRole('button', { name: '用户又来了' }).click()
  await page.getByRole('form', { name: '用户又来了' }).getByRole('button', { name: '记下' }).click()
  await page.locator('[data-trips]').getByText('来厅 2 次').waitFor()
  await see(page, 'invoice', '李强')
  await item(page, 'one_name').waitFor()
  await shot(page, 'names-zh')
  await item(page, 'invoice').getByRole('button', { name: '划掉：购房发票' }).click()
  await page.getByRole('dialog').getByLabel('原因').fill('看错了姓名')
  await page.getByRole('dialog').getByRole('button', { name: '划掉' }).click()
  await see(page, 'invoice', '王芳')
  const fee = item(page, 'installation_fee')
  await fee.getByLabel('金额（元）').fill('0')
  await fee.getByRole('button', { name: '已收' }).click()
  await page.getByRole('form', { name: '受理' }).waitFor()
  await look(page, 'complete')
  await page.getByRole('form', { name: '受理' }).getByRole('button', { name: '受理' }).click()
  await page.locator('[data-state="accepted"]').waitFor()
  await shows(() => page.locator('[data-born]').count(), 2, 'a survey and the installation')
  await page.locator('[data-born]').first().getByText(/B1/).waitFor()
  await look(page, 'accepted')

  // The ignition is agreed by phone: no trip.
  await mine.go(`/applications/new:${ACCOUNT}`)
  await page.getByLabel('点火', { exact: true }).check()
  await page.getByLabel('来的方式').selectOption('phone')
  await page.getByRole('button', { name: '登记' }).click()
  await item(page, 'not_by_themselves').getByRole('button', { name: '属实' }).click()
  await page.locator('.accept .choices').locator('label, p').first().waitFor()
  await look(page, 'window')
  const lit = page.url().split('/').pop()
  const now = Date.now()
  const appointment = { window: { start: now - 600_000, end: now + 3_600_000 }, channel: 'phone' }
  const { jobs } = await hall.post(`/api/applications/${lit}/events`, { act: 'accept', appointment })
  const technician = staff('技术员')
  await hall.post(`/api/jobs/${jobs[0]}/assignments`, { technician: (await hall.user(technician.login)).id })

  const phone = await Phone.open(hall, place(t, 'profile'))
  t.after(() => phone.close().catch(() => undefined))
  await phone.enrol(technician)
  await goIn(phone, jobs[0])
  await WORK.ignition(phone)
  await phone.page.getByText('合同 HT-2026-0412').waitFor({ state: 'attached' })
  await shot(phone.page, 'contract-phone-zh')
  await goOut(phone)
  await phone.sent()
  await page.locator('[data-state="done"]').waitFor()

  // Counted: two trips, and the number opens the application.
  await mine.go('/figures/counter')
  const trips = page.locator('.figure').filter({ hasText: '开户到通气来厅次数' })
  await trips.getByRole('button', { name: /已通气.*2 次.*1/ }).first().click()
  await trips.locator(`a[href="#/applications/${id}"]`).waitFor()
  await look(page, 'figures')

  // Found from the household's page.
  const { households: [home] } = await hall.get(`/api/households?text=${ACCOUNT}`)
  await mine.go(`/households/${home.id}`)
  await page.locator(`a[href="#/applications/${id}"]`).waitFor()
  assert.deepEqual([mine.problems, phone.problems], [[], []])
})

test('b3 c5 calls are noted with their rings and shown beside both promises, and answers about paying are at hand', async (t) => {
  const hall = await opened(t)
  const mine = await Desk.open(hall, hong)
  t.after(() => mine.close().catch(() => undefined))
  const { page } = mine
  await mine.go('/intake')
  const note = page.getByRole('form', { name: '来电接听' })
  await note.getByText('员工 3 声内').waitFor()
  await note.getByLabel('响铃').fill('2')
  await note.getByLabel('工号', { exact: true }).fill('8001')
  await note.getByRole('button', { name: '记下接听' }).click()
  await page.getByText('已记下：员工标准内接听').waitFor()
  await note.getByLabel('响铃').fill('7')
  await note.getByRole('button', { name: '记下未接' }).click()
  await page.getByText('已记下：未接').waitFor()
  await look(page, 'intake')

  await mine.go('/figures/counter')
  const calls = page.locator('.figure').filter({ hasText: '电话接听' })
  await calls.getByText('8001').first().waitFor()
  await shows(async () => (await calls.locator('.shares').first().innerText()).replaceAll(/\s+/g, ' '), /100%/)
  await mine.go('/applications/paying')
  await page.getByText('每 2 个月抄一次表').waitFor()
  await look(page, 'paying')
  assert.deepEqual(mine.problems, [])
})
